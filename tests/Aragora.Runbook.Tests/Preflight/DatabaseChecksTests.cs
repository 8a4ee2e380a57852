using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;
using Npgsql;
using Npgsql.Replication;
using Shouldly;
using Xunit;
using static Aragora.Runbook.Tests.Preflight.PreflightBench;

namespace Aragora.Runbook.Tests.Preflight;

public sealed class DatabaseChecksTests(RealServer server)
{
    [Fact]
    public async Task A_database_that_is_read_only_by_default_is_refused()
    {
        var environment = await server.NewDatabaseAsync();
        (await AskAsync(IdentityChecks.Primary, environment)).ShouldBeOfType<Finding.Ok>();
        await RealServer.SqlAsync(environment, $"ALTER DATABASE \"{environment.Database.Database}\" SET default_transaction_read_only = on");

        var refusal = (await AskAsync(IdentityChecks.Primary, environment)).ShouldBeOfType<Finding.Refusal>();

        refusal.Text.ShouldContain("default_transaction_read_only = on");
    }

    [Theory]
    [InlineData("two databases", "1", "db:1", null, "2", "db:2", null, typeof(Finding.Ok), "two databases")]
    [InlineData("the same", "1", "db:1", null, "1", "db:1", null, typeof(Finding.Refusal), "are the same database")]
    [InlineData("the same, whatever the ids say", "1", "db:1", "a", "1", "db:1", "b", typeof(Finding.Refusal), "are the same database")]
    [InlineData("a clone untold", "1", "db:1", null, "1", "db:2", null, typeof(Finding.Refusal), "say that they are the same")]
    [InlineData("a clone half told", "1", "db:1", "a", "1", "db:2", null, typeof(Finding.Refusal), "say that they are the same")]
    [InlineData("a clone told apart", "1", "db:1", "a", "1", "db:2", "b", typeof(Finding.Ok), "a physical clone")]
    public void Equal_identities_are_refused_unless_each_has_an_id(string situation, string system, string endpoint, string? id, string otherSystem, string otherEndpoint, string? otherId, Type kind, string text)
    {
        var finding = IdentityChecks.Compare(Facts(system, endpoint, id), Facts(otherSystem, otherEndpoint, otherId));

        finding.ShouldBeOfType(kind, situation);
        finding.Text.ShouldContain(text);

        static DatabaseFacts Facts(string system, string endpoint, string? id) => new(new DatabaseIdentity(system, 1, 5, "aragora", endpoint, id), [], null);
    }

    [Theory]
    [InlineData(14, typeof(Finding.Refusal))]
    [InlineData(15, typeof(Finding.Ok))]
    [InlineData(17, typeof(Finding.Ok))]
    [InlineData(0, typeof(Finding.Refusal))]
    public async Task A_pg_dump_older_than_the_server_or_missing_is_refused(int client, Type kind)
    {
        VersionChecks.Compare(15, client == 0 ? null : new ClientProgram("/usr/bin/pg_dump", new Version(client, 4))).ShouldBeOfType(kind);
        var asked = 0;
        await AskAsync(VersionChecks.Client, await server.NewDatabaseAsync(), Options with
        {
            FindPgDump = (major, _) =>
            {
                asked = major;
                return Task.FromResult<ClientProgram?>(null);
            },
        });
        asked.ShouldBe(server.Server.Binaries.Major);
    }

    [Fact]
    public async Task Revisions_that_are_pending_are_named_in_their_order()
    {
        var environment = await server.NewDatabaseAsync();
        (await AskAsync(RevisionChecks.Pending, environment)).ShouldBe(new Finding.Ok("at the very beginning; 2 migrations pending to 0002: 0001, 0002"));

        await RealServer.SqlAsync(environment, "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('0001')");
        (await AskAsync(RevisionChecks.Pending, environment)).ShouldBe(new Finding.Ok("at 0001; 1 migration pending to 0002: 0002"));

        await RealServer.SqlAsync(environment, "UPDATE alembic_version SET version_num = '0002'");
        (await AskAsync(RevisionChecks.Pending, environment)).ShouldBe(new Finding.Ok("at 0002; nothing pending to 0002"));

        await RealServer.SqlAsync(environment, "UPDATE alembic_version SET version_num = 'beef'");
        (await AskAsync(RevisionChecks.Pending, environment)).ShouldBeOfType<Finding.Refusal>().Text.ShouldBe("the database is at beef, which this checkout does not contain");
    }

    [Fact]
    public async Task Tables_without_alembic_version_and_a_tree_with_two_heads_are_refused()
    {
        var environment = await server.NewDatabaseAsync();
        var forked = Tree with { Heads = ["0002", "0003"] };
        (await AskAsync(RevisionChecks.Pending, environment, tree: forked)).ShouldBeOfType<Finding.Refusal>().Next.ShouldContain("merge -m");
        RevisionChecks.Tree(forked, null).ShouldBeOfType<Finding.Refusal>();
        RevisionChecks.Tree(forked, "0002").ShouldBeOfType<Finding.Ok>();
        RevisionChecks.Tree(Tree, "0009").ShouldBeOfType<Finding.Refusal>();

        await RealServer.SqlAsync(environment, "CREATE TABLE users ()");
        (await AskAsync(RevisionChecks.Pending, environment)).ShouldBeOfType<Finding.Refusal>().Text.ShouldContain("no alembic_version");
    }

    [Fact]
    public async Task Connections_that_run_out_are_told_by_what_limits_them()
    {
        var environment = await server.NewDatabaseAsync();
        (await AskAsync(CapacityChecks.Connections, environment)).ShouldBeOfType<Finding.Ok>();
        await RealServer.SqlAsync(environment, $"ALTER DATABASE \"{environment.Database.Database}\" CONNECTION LIMIT 5");
        (await AskAsync(CapacityChecks.Connections, environment)).ShouldBeOfType<Finding.Refusal>().Text.ShouldContain("of 5 in use, of the database (CONNECTION LIMIT): what follows needs 6");

        await RealServer.SqlAsync(environment, $"ALTER DATABASE \"{environment.Database.Database}\" CONNECTION LIMIT -1");
        var limited = await AsNewRoleAsync(environment, "CONNECTION LIMIT 3");
        (await AskAsync(CapacityChecks.Connections, limited)).ShouldBeOfType<Finding.Refusal>().Text.ShouldBe("1 of 3 in use, of the role (CONNECTION LIMIT): what follows needs 6");
        (await AskAsync(CapacityChecks.Connections, environment, Options with { ConnectionShare = 0 })).ShouldBeOfType<Finding.Warning>();
    }

    [Theory]
    [InlineData(0, typeof(Finding.Refusal))]
    [InlineData(3_000_000, typeof(Finding.Warning))]
    [InlineData(1_000_000_000, typeof(Finding.Ok))]
    public async Task Room_for_the_backup_is_compared_with_the_size_of_the_database(long free, Type kind)
    {
        var finding = await AskAsync(CapacityChecks.DiskHere, await server.NewDatabaseAsync(), Options with { FreeBytes = _ => free });

        finding.ShouldBeOfType(kind, finding.Text);
        finding.Text.ShouldContain("the database is ");
    }

    [Fact]
    public async Task Room_on_the_server_is_seen_where_it_is_this_machine()
    {
        var environment = await server.NewDatabaseAsync();

        (await AskAsync(CapacityChecks.DiskThere, environment)).ShouldBeOfType<Finding.Ok>().Text.ShouldContain("1.0 TB free on the server");
        (await AskAsync(CapacityChecks.DiskThere, environment, Options with { FreeBytes = _ => 1 })).ShouldBeOfType<Finding.Warning>();
    }

    [Fact]
    public async Task Room_on_a_server_that_cannot_be_seen_is_said_to_be_unknown()
    {
        var limited = await AsNewRoleAsync(await server.NewDatabaseAsync());

        (await AskAsync(CapacityChecks.DiskThere, limited)).ShouldBeOfType<Finding.Ok>().Text.ShouldContain("cannot be seen from here");
        (await AskAsync(CapacityChecks.DiskThere, limited, Options with { SmallDatabaseBytes = 1 })).ShouldBeOfType<Finding.Warning>();
    }

    [Fact]
    public async Task A_slot_that_nobody_reads_is_a_warning_from_the_WAL_that_it_keeps()
    {
        var environment = await server.NewDatabaseAsync();
        var slot = $"s_{Guid.NewGuid():N}";
        await RealServer.SqlAsync(environment, $"SELECT pg_create_physical_replication_slot('{slot}', true)");
        try
        {
            await RealServer.SqlAsync(environment, "CREATE TABLE t AS SELECT generate_series(1, 1000)");

            (await AskAsync(ReplicationChecks.Slots, environment)).ShouldBeOfType<Finding.Ok>().Text.ShouldContain($"{slot} is inactive");
            (await AskAsync(ReplicationChecks.Slots, environment, Options with { RetainedBytes = 0 })).ShouldBeOfType<Finding.Warning>().Next.ShouldContain("pg_drop_replication_slot");
        }
        finally
        {
            await RealServer.SqlAsync(environment, $"SELECT pg_drop_replication_slot('{slot}')");
        }
    }

    [Fact]
    public async Task A_replica_is_named_and_one_that_lags_is_a_warning()
    {
        var environment = await server.NewDatabaseAsync();
        var name = $"replica-{Guid.NewGuid():N}";
        using var stop = new CancellationTokenSource();
        await using var replica = new PhysicalReplicationConnection(ConnectionStrings.Build(environment.Database, name, null, null, TimeSpan.FromSeconds(30)));
        await replica.Open();
        var system = await replica.IdentifySystem();
        var receiving = Task.Run(async () =>
        {
            await foreach (var _ in replica.StartReplication(system.XLogPos, stop.Token, system.Timeline))
            {
            }
        });
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Finding finding;
        do
        {
            deadline.Token.ThrowIfCancellationRequested();
            finding = await AskAsync(ReplicationChecks.Replicas, environment);
        }
        while (!finding.Text.Contains($"{name}: streaming, ", StringComparison.Ordinal));

        finding.ShouldBeOfType<Finding.Ok>();
        (await AskAsync(ReplicationChecks.Replicas, environment, Options with { RetainedBytes = -1 })).ShouldBeOfType<Finding.Warning>().Text.ShouldContain(name);
        (await AskAsync(ReplicationChecks.Replicas, await AsNewRoleAsync(environment))).ShouldBeOfType<Finding.Warning>().Text.ShouldContain($"{name}: not visible");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(receiving);
    }

    [Fact]
    public async Task An_index_that_a_failed_build_left_behind_is_named_and_its_command_removes_it()
    {
        var environment = await server.NewDatabaseAsync();
        await RealServer.SqlAsync(environment, "CREATE TABLE \"Users\" (mail text); INSERT INTO \"Users\" VALUES ('a'), ('a')");
        (await AskAsync(CatalogueChecks.InvalidIndexes, environment)).ShouldBeOfType<Finding.Ok>();
        await Should.ThrowAsync<PostgresException>(() => RealServer.SqlAsync(environment, "CREATE UNIQUE INDEX CONCURRENTLY \"Users mail\" ON \"Users\" (mail)"));

        var warning = (await AskAsync(CatalogueChecks.InvalidIndexes, environment)).ShouldBeOfType<Finding.Warning>();

        warning.Text.ShouldContain("public.\"Users mail\" on \"Users\"");
        warning.Next.ShouldBe("DROP INDEX CONCURRENTLY public.\"Users mail\"");
        await RealServer.SqlAsync(environment, warning.Next);
        (await AskAsync(CatalogueChecks.InvalidIndexes, environment)).ShouldBeOfType<Finding.Ok>();
    }

    [Fact]
    public async Task The_age_of_transaction_ids_is_watched()
    {
        (await AskAsync(CatalogueChecks.Wraparound, await server.NewDatabaseAsync())).ShouldBeOfType<Finding.Ok>();
        CatalogueChecks.Judge(195_000_000, 200_000_000, [], Options).ShouldBeOfType<Finding.Warning>().Text.ShouldContain("195.0 million");
        CatalogueChecks.Judge(1, 200_000_000, ["autovacuum: VACUUM public.t (to prevent wraparound)"], Options).ShouldBeOfType<Finding.Warning>().Text.ShouldContain("public.t");
        CatalogueChecks.Judge(1_700_000_000, 200_000_000, [], Options).ShouldBeOfType<Finding.Refusal>();
    }
}
