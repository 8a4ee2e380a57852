using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

/// <summary>What runs that died left: Status tells it, and the next restore gets over it.</summary>
public sealed class RestoreLeftoversTests(RealServer server)
{
    private const string DeadRun = "20261122T190455Z-dead";
    private static readonly DateTimeOffset Then = new(2026, 11, 22, 19, 5, 0, TimeSpan.Zero);

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_database_that_a_dead_run_closed_is_told_and_opened_by_the_next_restore()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await RealServer.SqlAsync(shop.Administrator, $"COMMENT ON DATABASE {shop.Environment.Database.Database} IS 'the shop'");
        await CloseAsync(shop, new DatabaseMark(MarkState.Fenced, shop.Environment.Database.Database, DeadRun, Then) { Backup = "the-backup" });

        var status = await RestoreStatus.ReadAsync(shop.Environment, Then.AddMinutes(3), None);
        var unreachable = await Should.ThrowAsync<BadInputException>(() => DatabaseInspector.ReadAsync(shop.Environment, None));
        var result = await shop.RestoreAsync();

        status.Trouble.ShouldBeOfType<NeedsPersonException>().Why.ShouldContain($"run {DeadRun} closed it 2026-11-22 19:05:00Z and died");
        status.Trouble.Next.ShouldContain("--strategy Restore --backup the-backup");
        status.Trouble.Next.ShouldContain($"ALTER DATABASE \"{shop.Environment.Database.Database}\" ALLOW_CONNECTIONS true;");
        unreachable.Next.ShouldContain("./build.sh Status");
        (await shop.DatabasesAsync()).ShouldBe([(shop.Environment.Database.Database, true), (result.Facts.KeptDatabase, false)]);
        (await shop.AskAsync<string>("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"))!.ShouldStartWith("the shop\n[aragora] ");
    }

    [Fact]
    public async Task A_database_that_somebody_else_closed_stays_closed()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await RealServer.SqlAsync(shop.Administrator with { Database = shop.Administrator.Database with { Database = "postgres" } }, $"ALTER DATABASE {shop.Environment.Database.Database} ALLOW_CONNECTIONS false");

        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync());
        var status = await RestoreStatus.ReadAsync(shop.Environment, Then, None);

        refusal.Why.ShouldContain("not by a restore of ours");
        status.Trouble!.Why.ShouldContain("not by a restore of ours");
        (await shop.DatabasesAsync()).ShouldBe([(shop.Environment.Database.Database, false)]);
    }

    [Fact]
    public async Task Copies_of_dead_runs_are_told_and_dropped_and_what_only_looks_like_one_stays()
    {
        var shop = await RestoreScenario.NewAsync(server);
        var live = shop.Environment.Database.Database;
        var (marked, unmarked, filled) = (DatabaseNames.Copy(live, DeadRun), DatabaseNames.Copy(live, "20261122T190455Z-0001"), DatabaseNames.Copy(live, "20261122T190455Z-0002"));
        await using (var session = await PostgresSession.OpenAsync(shop.Environment, "aragora-tests", "postgres"))
        {
            foreach (var name in new[] { marked, unmarked, filled })
            {
                await session.ExecuteAsync($"CREATE DATABASE {SqlText.Identifier(name)}", None);
            }

            await session.ExecuteAsync($"COMMENT ON DATABASE {SqlText.Identifier(marked)} IS {SqlText.Literal(DatabaseMark.Compose(null, new DatabaseMark(MarkState.Copy, live, DeadRun, Then))!)}", None);
        }

        await RealServer.SqlAsync(Named(shop, marked), "CREATE TABLE half_restored (i int)");
        await RealServer.SqlAsync(Named(shop, filled), "CREATE TABLE precious (i int)");

        var status = await RestoreStatus.ReadAsync(shop.Environment, Then.AddMinutes(3), None);
        await shop.RestoreAsync();

        status.Trouble.ShouldBeNull();
        status.Lines.ShouldContain(line => line.StartsWith($"{marked} is a copy that run {DeadRun}, which died, began 3 min ago", StringComparison.Ordinal) && line.Contains($"DROP DATABASE IF EXISTS \"{marked}\"", StringComparison.Ordinal));
        (await shop.DatabasesAsync()).Select(database => database.Name).ShouldSatisfyAllConditions(
            names => names.ShouldNotContain(marked),
            names => names.ShouldNotContain(unmarked),
            names => names.ShouldContain(filled));
    }

    [Fact]
    public async Task After_a_restore_that_was_verified_status_tells_where_it_came_from_and_what_is_kept()
    {
        var shop = await RestoreScenario.NewAsync(server);
        var result = await shop.RestoreAsync();

        var status = await RestoreStatus.ReadAsync(shop.Environment, shop.Run.Clock.GetUtcNow().AddHours(3), now => now.Revisions is ["r1000"], None);

        status.Trouble.ShouldBeNull();
        status.Lines[0].ShouldStartWith($"{shop.Environment.Database.Database} was restored from {shop.Backup.Name} by run {shop.Run.RunId}, 3 h ago");
        status.Lines[1].ShouldStartWith($"{result.Facts.KeptDatabase} is what it replaced 3 h ago, ");
        status.Lines[1].ShouldContain("closed; when nobody needs it any more: DROP DATABASE");
    }

    [Fact]
    public async Task After_a_restore_that_nobody_verified_status_tells_how_to_verify_it_and_how_to_take_it_back_before_how_to_drop_the_old_one()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await shop.MoveOnAsync();
        var (live, kept) = (shop.Environment.Database.Database, (await shop.RestoreAsync("4")).Facts.KeptDatabase);

        var status = await RestoreStatus.ReadAsync(shop.Environment, shop.Run.Clock.GetUtcNow().AddHours(3), _ => false, None);

        status.Lines[0].ShouldStartWith($"{live} was restored from {shop.Backup.Name}");
        status.Lines[1].ShouldBe($"{live} is the restored one, and live; as far as the records here know, nothing verified it since. This does: ./build.sh SmokeTest --target-environment Production");
        status.Lines[2].ShouldStartWith("to take it back instead, in the database postgres");
        status.Lines[^1].ShouldContain($"DROP DATABASE IF EXISTS \"{kept}\"");
        status.Lines.Count.ShouldBe(7);
        await using var postgres = await PostgresSession.OpenAsync(shop.Environment, "aragora-tests", "postgres");
        foreach (var sql in status.Lines.Skip(3).Take(3))
        {
            await postgres.ExecuteAsync(sql, None);
        }

        (await shop.GenerationAsync()).ShouldBe(2);
        (await shop.DatabasesAsync()).ShouldContain((live, true));
    }

    [Fact]
    public async Task While_a_run_is_at_work_its_fence_is_no_leftover()
    {
        var shop = await RestoreScenario.NewAsync(server);
        await using var lease = await new SingleFlight(RealServer.NewRun()).AcquireAsync(shop.Environment, TimeSpan.Zero, None);
        await CloseAsync(shop, new DatabaseMark(MarkState.Fenced, shop.Environment.Database.Database, DeadRun, Then));

        var status = await RestoreStatus.ReadAsync(shop.Environment, Then, None);
        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync());

        status.Trouble!.Why.ShouldContain("is about to exchange it");
        refusal.What.ShouldContain("Another run is changing");
        (await shop.DatabasesAsync()).ShouldBe([(shop.Environment.Database.Database, false)]);
    }

    [Fact]
    public async Task A_note_of_a_fence_that_was_opened_by_hand_does_not_open_the_next_ones_fence()
    {
        var shop = await RestoreScenario.NewAsync(server);
        var name = shop.Environment.Database.Database;
        var postgres = Named(shop, "postgres");
        await CloseAsync(shop, new DatabaseMark(MarkState.Fenced, name, DeadRun, Then));
        var told = (await RestoreStatus.ReadAsync(shop.Environment, Then, None)).Trouble!.Next;
        var opening = told[told.IndexOf("ALTER DATABASE", StringComparison.Ordinal)..];

        await RealServer.SqlAsync(postgres, opening);
        await RealServer.SqlAsync(postgres, $"ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        var refusal = await Should.ThrowAsync<RefusedException>(() => shop.RestoreAsync());

        refusal.Why.ShouldContain("not by a restore of ours");
    }

    [Fact]
    public async Task A_copy_that_somebody_is_in_or_that_is_called_otherwise_stays_and_stops_nothing()
    {
        var shop = await RestoreScenario.NewAsync(server);
        var live = shop.Environment.Database.Database;
        var (used, renamed) = (DatabaseNames.Copy(live, DeadRun), live + "_precious");
        await using (var session = await PostgresSession.OpenAsync(shop.Environment, "aragora-tests", "postgres"))
        {
            foreach (var name in new[] { used, renamed })
            {
                await session.ExecuteAsync($"CREATE DATABASE {SqlText.Identifier(name)}", None);
                await session.ExecuteAsync($"COMMENT ON DATABASE {SqlText.Identifier(name)} IS {SqlText.Literal(DatabaseMark.Compose(null, new DatabaseMark(MarkState.Copy, live, DeadRun, Then))!)}", None);
            }
        }

        await using var reader = await PostgresSession.OpenAsync(shop.Environment, "a reader", used);
        await shop.RestoreAsync();

        (await reader.ScalarAsync<int>("SELECT 1", None)).ShouldBe(1);
        (await shop.DatabasesAsync()).Select(database => database.Name).ShouldSatisfyAllConditions(names => names.ShouldContain(used), names => names.ShouldContain(renamed));
    }

    private static DatabaseEnvironment Named(RestoreScenario shop, string database) => shop.Environment with { Database = shop.Environment.Database with { Database = database } };

    private static async Task CloseAsync(RestoreScenario shop, DatabaseMark mark)
    {
        await using var session = await PostgresSession.OpenAsync(shop.Environment, "aragora-tests", "postgres");
        var live = await ServerDatabase.FindAsync(session, shop.Environment.Database.Database, None);
        await new DatabaseFence(session, TimeProvider.System).CloseAsync(live!, mark, None);
    }
}
