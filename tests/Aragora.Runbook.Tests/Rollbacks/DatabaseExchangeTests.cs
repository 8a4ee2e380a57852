using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Rollbacks;
using Aragora.Runbook.Tests.Clusters;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Rollbacks;

/// <summary>The seconds in which nobody is let in, and what may go wrong in them.</summary>
public sealed class DatabaseExchangeTests(RealServer server)
{
    private static readonly LostWrites Nothing = new(0, [], null);

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_journal_that_cannot_be_written_while_the_database_is_closed_leaves_it_open()
    {
        var scene = await Scene.NewAsync(server);

        await Should.ThrowAsync<ObjectDisposedException>(() => scene.ExchangeAsync(() => scene.Run.Journal.Dispose()));

        await scene.ShouldBeOpenAsync();
    }

    [Fact]
    public async Task An_outcome_that_cannot_be_written_does_not_hide_that_they_were_exchanged()
    {
        var run = RealServer.NewRun();

        var result = await new SteadyJournal(run).ActAsync("exchange", new { }, () =>
        {
            run.Journal.Dispose();
            return Task.FromResult("done");
        });

        result.ShouldBe("done");
    }

    [Fact]
    public async Task What_cannot_be_written_down_never_replaces_the_failure_itself()
    {
        var run = RealServer.NewRun();

        await Should.ThrowAsync<NeedsPersonException>(() => new SteadyJournal(run).ActAsync<int>("exchange", new { }, () =>
        {
            run.Journal.Dispose();
            throw new NeedsPersonException("a", "b", "c");
        }));
    }

    [Fact]
    public async Task A_session_that_broke_is_replaced_to_open_the_database()
    {
        var scene = await Scene.NewAsync(server);

        await Should.ThrowAsync<Exception>(() => scene.ExchangeAsync(() => scene.Maintenance.Connection.Close()));

        await scene.ShouldBeOpenAsync();
    }

    [Fact]
    public async Task A_database_that_somebody_opened_meanwhile_is_not_exchanged()
    {
        var scene = await Scene.NewAsync(server);
        var sql = $"ALTER DATABASE {SqlText.Identifier(scene.Live.Name)} ALLOW_CONNECTIONS true";

        (await Should.ThrowAsync<FailedCleanException>(() => scene.ExchangeAsync(() => RealServer.SqlAsync(scene.Postgres, sql).GetAwaiter().GetResult()))).What.ShouldContain("was not exchanged");

        await scene.ShouldBeOpenAsync();
    }

    [Fact]
    public async Task Grants_and_settings_that_were_changed_while_the_copy_was_restored_are_carried_over_as_well()
    {
        var scene = await Scene.NewAsync(server);
        var (live, copy) = (SqlText.Identifier(scene.Live.Name), scene.Copy);
        await RealServer.SqlAsync(scene.Postgres, $"ALTER DATABASE {live} SET work_mem = '5MB'");
        var before = await DatabaseSettings.ReadAsync(scene.Maintenance, scene.Live, None);
        await before.ApplyAsync(scene.Maintenance, copy, keeps: true, None);
        await RealServer.SqlAsync(scene.Postgres, $"ALTER DATABASE {live} RESET work_mem; ALTER DATABASE {live} SET lock_timeout = '7s'; REVOKE CONNECT ON DATABASE {live} FROM PUBLIC");

        var now = await DatabaseSettings.ReadAsync(scene.Maintenance, scene.Live, None);
        now.IsOtherThan(before).ShouldBeTrue();
        await now.ApplyAsync(scene.Maintenance, copy, keeps: true, None, before);

        now.IsOtherThan(await DatabaseSettings.ReadAsync(scene.Maintenance, copy, None)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_comment_that_was_written_while_the_copy_was_restored_stays_whether_they_are_exchanged_or_not()
    {
        var scene = await Scene.NewAsync(server);
        var ask = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()";
        await RealServer.SqlAsync(scene.Postgres, $"COMMENT ON DATABASE {SqlText.Identifier(scene.Live.Name)} IS 'on call: Ada'");

        await Should.ThrowAsync<InvalidOperationException>(() => scene.ExchangeAsync(() => throw new InvalidOperationException("not now")));
        (await scene.Shop.AskAsync<string>(ask)).ShouldBe("on call: Ada");

        await scene.ExchangeAsync(() => { });
        (await scene.Shop.AskAsync<string>(ask)).ShouldNotBeNull().ShouldStartWith("on call: Ada\n[aragora] ");
    }

    /// <summary>A standby that is waited for holds the commit back; the connection breaks; and it takes effect when everybody has looked already.</summary>
    [Fact]
    public async Task An_exchange_whose_commit_takes_effect_after_its_connection_broke_is_told_as_done()
    {
        await using var own = new RealServer();
        await own.InitializeAsync();
        var shop = await RestoreScenario.NewAsync(own);
        await using var proxy = new CuttableProxy("127.0.0.1", own.Server.Url.Port);
        var through = shop.Environment with { Database = shop.Environment.Database with { Host = "127.0.0.1", Port = proxy.Port } };
        var run = RealServer.NewRun();
        await using var maintenance = await PostgresSession.OpenAsync(through, "aragora-tests-exchange", "postgres");
        var live = (await ServerDatabase.FindAsync(maintenance, shop.Environment.Database.Database, None))!;
        var copy = await new RestoreCopy(run, maintenance).CreateAsync(live, "b", None);
        var postgres = shop.Administrator with { Database = shop.Administrator.Database with { Database = "postgres" } };
        var file = Path.Combine((await shop.AskAsync<string>("SHOW data_directory", "postgres"))!, "postgresql.auto.conf");
        var settings = await File.ReadAllTextAsync(file);
        Task? probe = null;

        Task<Exchanged>? exchanging = null;
        exchanging = new DatabaseExchange(run, through, async (_, ended) =>
        {
            await ConfigureAsync(settings + "synchronous_standby_names = 'nobody'\n");

            // Once a commit waits, every session was told.
            for (var n = 0; probe?.IsCompleted != false; n++)
            {
                probe = RealServer.SqlAsync(postgres, $"CREATE TABLE probe{n} ()");
                while (!probe.IsCompleted && !await shop.AskAsync<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')", "postgres"))
                {
                    await Task.Delay(20, ended);
                }
            }

            return Nothing;
        }).RunAsync(maintenance, live, copy, "b", [live.Oid], None);
        await UntilAsync("wait_event = 'SyncRep' AND application_name = 'aragora-tests-exchange'");
        proxy.Cut();
        await UntilAsync("wait_event_type = 'Lock' AND query LIKE 'ALTER DATABASE %ALLOW_CONNECTIONS true%'");
        await ConfigureAsync(settings);

        var exchanged = await exchanging;
        await probe!;
        (await shop.AskAsync<uint>("SELECT oid FROM pg_database WHERE datname = current_database()")).ShouldBe(copy.Oid);
        (await shop.DatabasesAsync()).ShouldBe([(live.Name, true), (exchanged.Kept, false)], ignoreOrder: true);

        async Task ConfigureAsync(string text)
        {
            await File.WriteAllTextAsync(file, text);
            await RealServer.SqlAsync(postgres, "SELECT pg_reload_conf()");
        }

        async Task UntilAsync(string condition)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (!await shop.AskAsync<bool>($"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE {condition})", "postgres"))
            {
                await (exchanging?.IsCompleted == true ? exchanging : Task.Delay(20, patience.Token));
            }
        }
    }

    /// <summary>The first look, before the copy is restored, finds none of them; an hour later one may be there.</summary>
    [Theory]
    [InlineData("prepared transaction '")]
    [InlineData("logical replication slot ")]
    [InlineData("subscription ")]
    public async Task What_was_bound_to_the_very_database_while_the_copy_was_restored_is_named_behind_the_fence(string kind)
    {
        var scene = await Scene.NewAsync(server);
        var name = $"late_{Guid.NewGuid():N}";
        await RestoreObstacles.RequireUnboundAsync(scene.Maintenance, scene.Live.Name, None);
        await using (var session = await PostgresSession.OpenAsync(scene.Shop.Administrator, "a user of the shop", cancellation: None))
        {
            string[] statements = kind switch
            {
                "prepared transaction '" => ["BEGIN", "INSERT INTO users (name) VALUES ('in doubt')", $"PREPARE TRANSACTION '{name}'"],
                "subscription " => [$"CREATE SUBSCRIPTION {name} CONNECTION 'dbname=elsewhere' PUBLICATION p WITH (connect = false)"],
                _ => [$"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')"],
            };
            foreach (var statement in statements)
            {
                await session.ExecuteAsync(statement, None);
            }
        }

        try
        {
            var counted = false;

            var refusal = await Should.ThrowAsync<RefusedException>(() => scene.ExchangeAsync(() => counted = true));

            refusal.What.ShouldContain($"cannot be exchanged for a restored one: it has {kind}{name}");
            refusal.Next.ShouldContain(name);
            counted.ShouldBeFalse("nothing is counted once it is clear that nothing is exchanged");
            await scene.ShouldBeOpenAsync();
        }
        finally
        {
            await RealServer.SqlAsync(scene.Shop.Administrator, kind switch
            {
                "prepared transaction '" => $"ROLLBACK PREPARED '{name}'",
                "subscription " => $"ALTER SUBSCRIPTION {name} SET (slot_name = NONE); DROP SUBSCRIPTION {name}",
                _ => $"SELECT pg_drop_replication_slot('{name}')",
            });
        }
    }

    private sealed record Scene(RestoreScenario Shop, RunContext Run, PostgresSession Maintenance, ServerDatabase Live, ServerDatabase Copy)
    {
        public Aragora.Runbook.Environments.DatabaseEnvironment Postgres => Shop.Environment with { Database = Shop.Environment.Database with { Database = "postgres" } };

        public static async Task<Scene> NewAsync(RealServer server)
        {
            var (shop, run) = (await RestoreScenario.NewAsync(server), RealServer.NewRun());
            var maintenance = await PostgresSession.OpenAsync(shop.Environment, "aragora-tests", "postgres");
            var live = await ServerDatabase.FindAsync(maintenance, shop.Environment.Database.Database, None);
            return new Scene(shop, run, maintenance, live!, await new RestoreCopy(run, maintenance).CreateAsync(live!, "b", None));
        }

        /// <summary>Something happens behind the fence.</summary>
        public Task ExchangeAsync(Action meanwhile) => new DatabaseExchange(Run, Shop.Environment, (_, _) =>
        {
            meanwhile();
            return Task.FromResult(Nothing);
        }).RunAsync(Maintenance, Live, Copy, "b", [Live.Oid], None);

        public async Task ShouldBeOpenAsync()
        {
            (await Shop.DatabasesAsync()).ShouldContain((Live.Name, true));
            (await Shop.GenerationAsync()).ShouldBe(1);
            (await Shop.AskAsync<string>("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()")).ShouldBeNull();
            await Maintenance.DisposeAsync();
        }
    }
}
