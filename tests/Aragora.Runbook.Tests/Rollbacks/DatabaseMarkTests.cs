using Aragora.Runbook.Rollbacks;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

public sealed class DatabaseMarkTests
{
    private static readonly DatabaseMark Mark = new(MarkState.Fenced, "odd\n\"name\" ü", "r1", new DateTimeOffset(2026, 11, 22, 19, 4, 55, TimeSpan.Zero)) { Backup = "b", Lineage = [1, 4_000_000_000], Before = new DatabaseMark(MarkState.Restored, "x", "r0", DateTimeOffset.UnixEpoch) };

    [Theory]
    [InlineData(null)]
    [InlineData("the shop")]
    [InlineData("two\nlines\n")]
    [InlineData("[aragora] is great")]
    public void What_people_wrote_survives_the_mark_and_its_removal(string? comment)
    {
        var (rest, mark) = DatabaseMark.Parse(DatabaseMark.Compose(comment, Mark));

        rest.ShouldBe(comment);
        DatabaseMark.Compose(null, mark).ShouldBe(DatabaseMark.Compose(null, Mark));
        DatabaseMark.Compose(rest, null).ShouldBe(comment);
    }

    [Theory]
    [InlineData("[aragora] {\"state\":\"fenced\"")]
    [InlineData("[aragora] {\"state\":\"melted\",\"of\":\"x\",\"run\":\"r\"}")]
    [InlineData("[aragora] {\"state\":\"fenced\"}")]
    [InlineData("[aragora] {\"state\":\"fenced\",\"of\":\"x\",\"run\":\"r\",\"lineage\":null}")]
    [InlineData("[aragora] null")]
    public void A_mark_that_was_edited_is_none(string comment) => DatabaseMark.Parse(comment).ShouldBe((comment, null));
}
