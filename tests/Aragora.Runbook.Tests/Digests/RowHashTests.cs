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
    [InlineData("(s)::text = ANY ((ARRAY['a'::character varying, 'b, ''c]'::character varying])::text[])", "(s)::text = ANY (ARRAY[('a'::character varying)::text, ('b, ''c]'::character varying)::text])")]
    [InlineData("n = ANY ((ARRAY[1, '-2'::integer])::numeric(4,1)[])", "n = ANY (ARRAY[(1)::numeric(4,1), ('-2'::integer)::numeric(4,1)])")]
    [InlineData("(ARRAY[ARRAY[1, 2], ARRAY[3, f(4, 5)]])::double precision[]", "ARRAY[ARRAY[(1)::double precision, (2)::double precision], ARRAY[(3)::double precision, (f(4, 5))::double precision]]")]
    [InlineData("(ARRAY['a'::text])::\"Odd ]\".\"type\"[]", "ARRAY[('a'::text)::\"Odd ]\".\"type\"]")]
    [InlineData("x = ANY ((ARRAY[lower((ARRAY['a'::character varying])::text[])])::text[])", "x = ANY (ARRAY[(lower(ARRAY[('a'::character varying)::text]))::text])")]
    public void Both_spellings_of_an_array_that_is_cast_become_one(string first, string afterRestore)
    {
        ExpressionSpelling.Normalise(first).ShouldBe(afterRestore);
        ExpressionSpelling.Normalise(afterRestore).ShouldBe(afterRestore);
    }

    [Theory]
    [InlineData("'(ARRAY[1])::numeric[]'::text")]
    [InlineData("E'\\'(ARRAY[1])::numeric[]'")]
    [InlineData("(ARRAY[1, 2])")]
    [InlineData("(ARRAY[1, '")]
    [InlineData("(ARRAY[1])::text(")]
    public void What_is_quoted_or_no_cast_stays(string definition) => ExpressionSpelling.Normalise(definition).ShouldBe(definition);

    [Theory]
    [InlineData("WHERE (((a >= 1) AND (a <= 2)) AND b)", "WHERE ((a >= 1) AND (a <= 2) AND b)")]
    [InlineData("(((a OR (b OR c)) OR d) AND\n   CASE WHEN (x AND (y AND z)) THEN 1 END)", "((a OR b OR c OR d) AND CASE WHEN (x AND y AND z) THEN 1 END)")]
    [InlineData("((a AND b) OR (c AND d))", "((a AND b) OR (c AND d))")]
    [InlineData("((a AND b) IS TRUE)", "((a AND b) IS TRUE)")]
    [InlineData("('(((a AND b) AND c)' = \"(((a OR b) OR c)\")", "('(((a AND b) AND c)' = \"(((a OR b) OR c)\")")]
    [InlineData("(a AND (b", "(a AND (b")]
    public void A_condition_within_its_like_becomes_part_of_it(string first, string flat)
    {
        ExpressionSpelling.Normalise(first).ShouldBe(flat);
        ExpressionSpelling.Normalise(flat).ShouldBe(flat);
    }
}
