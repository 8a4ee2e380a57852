using Aragora.Runbook.Digests;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Digests;

public sealed class RowHashTests
{
    private static readonly DigestColumn[] Columns =
    [
        new("at", "timestamptz", true), new("\"Blank name\"", "text", true), new("folded", "text", false), new("id", "int8", true), new("m", null, true), new("n", "numeric", true), new("raw", "bytea", true),
    ];

    [Fact]
    public void Plain_types_go_in_by_their_bytes_and_everything_else_as_text() =>
        RowHash.Expression(Columns, DigestMethod.Record).ShouldBe(
            """pg_catalog.hashtextextended(pg_catalog.hash_record_extended(ROW(pg_catalog.timestamptz_send(at), "Blank name", pg_catalog.int8send(id), raw, ROW(folded, m, n)::text), 0)::text, 0)""");

    [Fact]
    public void The_text_method_is_one_text() =>
        RowHash.Expression(Columns, DigestMethod.Text).ShouldBe("""pg_catalog.hashtextextended(ROW(at, "Blank name", folded, id, m, n, raw)::text, 0)""");

    [Theory]
    [InlineData(13, DigestMethod.Text)]
    [InlineData(14, DigestMethod.Record)]
    public void Records_have_an_extended_hash_from_14_on(int major, DigestMethod expected) => RowHash.MethodFor(new Version(major, 0)).ShouldBe(expected);

    [Theory]
    [InlineData("CHECK (((s)::text = ANY ((ARRAY['a'::character varying, 'b, ''c'''::character varying])::text[])))")]
    [InlineData("CHECK (((s)::text = ANY (ARRAY[('a'::character varying)::text, ('b, ''c'''::character varying)::text])))")]
    public void Both_spellings_of_IN_become_one(string definition) =>
        ExpressionSpelling.Normalise(definition).ShouldBe("CHECK (((s)::text = ANY (ARRAY['a'::character varying, 'b, ''c'''::character varying])))");
}
