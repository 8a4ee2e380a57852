using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Rollbacks;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

public sealed class LostWritesTests(RealServer server)
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Rows_are_counted_by_table_and_what_else_happened_is_named()
    {
        var environment = await FilledAsync();
        var then = await ReadAsync(environment);
        await RealServer.SqlAsync(environment, "INSERT INTO kept SELECT i FROM generate_series(1, 5) i; UPDATE kept SET i = i + 1 WHERE i < 3; DELETE FROM kept WHERE i = 4");
        await RealServer.SqlAsync(environment, "TRUNCATE emptied; DROP TABLE dropped; CREATE TABLE made (i int); INSERT INTO made VALUES (1)");

        var lost = LostWrites.Between(then, await ReadAsync(environment));

        lost.Tables.Single(table => table.Name == "public.kept").Rows.ShouldBeGreaterThanOrEqualTo(8);
        lost.Tables.Where(table => table.What is not null).Select(table => (table.Name, table.Rows, table.What)).ShouldBe(
            [("public.made", 1, "made since"), ("public.dropped", 0, "dropped since"), ("public.emptied", 0, "truncated or rewritten since")], ignoreOrder: true);
        lost.Total.ShouldBe(lost.Tables.Sum(table => table.Rows) + 3);
        lost.ToTable().ShouldContain("truncated or rewritten since");
    }

    [Fact]
    public async Task Nothing_written_is_nothing_lost()
    {
        var environment = await FilledAsync();
        var then = await ReadAsync(environment);
        await RealServer.SqlAsync(environment, "SELECT count(*) FROM kept; ANALYZE");

        LostWrites.Between(then, await ReadAsync(environment)).ShouldSatisfyAllConditions(lost => lost.Total.ShouldBe(0), lost => lost.ToTable().ShouldBeEmpty());
    }

    [Theory]
    [InlineData("SELECT pg_stat_reset()")]
    [InlineData("SELECT pg_stat_reset_single_table_counters('kept'::regclass)")]
    public async Task Statistics_that_were_reset_make_it_unknown(string reset)
    {
        var environment = await FilledAsync();
        var then = await ReadAsync(environment);
        await RealServer.SqlAsync(environment, reset);

        var lost = LostWrites.Between(then, await ReadAsync(environment));

        lost.Total.ShouldBeNull();
        lost.Text.ShouldContain("statistics were reset");
    }

    [Fact]
    public void A_server_that_lost_its_statistics_makes_it_unknown_and_one_view_alone_does_not()
    {
        var then = Counters(archiver: 1, bgwriter: 1);

        LostWrites.Between(then, Counters(archiver: 2, bgwriter: 2)).WhyUnknown.ShouldBe("the server lost its statistics since: it crashed, or was restored");
        LostWrites.Between(then, Counters(archiver: 1, bgwriter: 2)).Total.ShouldBe(0);
        LostWrites.Between(then, Counters(archiver: 1, bgwriter: 1) with { IsCounting = false }).Total.ShouldBeNull();
        LostWrites.Between(then, Counters(archiver: 1, bgwriter: 1) with { Tables = new Dictionary<uint, TableWrites> { [7] = new("t", 1, 9) } }).WhyUnknown.ShouldBe("the counters of t went back");

        static WriteCounters Counters(int archiver, int bgwriter) => new()
        {
            ServerResets = new Dictionary<string, DateTimeOffset?>(StringComparer.Ordinal) { ["archiver"] = DateTimeOffset.UnixEpoch.AddDays(archiver), ["bgwriter"] = DateTimeOffset.UnixEpoch.AddDays(bgwriter) },
            Tables = new Dictionary<uint, TableWrites> { [7] = new("t", 1, 10) },
        };
    }

    [Theory]
    [InlineData("0", 0L, true)]
    [InlineData("0", 1L, false)]
    [InlineData("12", 12L, true)]
    [InlineData("12", 13L, false)]
    [InlineData("12", null, false)]
    [InlineData("unknown", null, true)]
    [InlineData("unknown", 0L, true)]
    [InlineData("Unknown", 1L, false)]
    public void A_number_is_the_most_that_may_be_lost_and_unknown_is_no_number(string accepted, long? lost, bool covered) =>
        AcceptedWrites.Parse(accepted).Covers(lost).ShouldBe(covered);

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("all")]
    [InlineData("1e3")]
    public void What_is_no_number_is_refused(string text) => Should.Throw<FormatException>(() => AcceptedWrites.Parse(text));

    private async Task<DatabaseEnvironment> FilledAsync()
    {
        var environment = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, "CREATE TABLE kept (i int) WITH (autovacuum_enabled = off); CREATE TABLE emptied (i int); INSERT INTO emptied SELECT generate_series(1, 10); CREATE TABLE dropped (i int)");
        return environment;
    }

    /// <summary>Sessions of the tests have ended by then, but hand in their statistics on their way out: they are awaited.</summary>
    private static async Task<WriteCounters> ReadAsync(DatabaseEnvironment environment)
    {
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
        while (await session.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())", None))
        {
            await Task.Yield();
        }

        return await WriteCounters.ReadAsync(session, None);
    }
}
