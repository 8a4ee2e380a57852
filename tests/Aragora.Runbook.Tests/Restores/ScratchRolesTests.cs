using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Restores;
using Aragora.Runbook.Tests.Backups;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Restores;

/// <summary>Roles belong to the cluster: each test has its own, and takes them away.</summary>
public sealed class ScratchRolesTests(RealServer server) : IAsyncLifetime
{
    private readonly RunContext run = RealServer.NewRun();
    private readonly string mark = Guid.NewGuid().ToString("N")[..8];
    private DatabaseEnvironment source = null!;

    public async ValueTask InitializeAsync() => source = await server.NewDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        await using var session = await PostgresSession.OpenAsync(source, "aragora-tests");
        var roles = await session.QueryAsync("SELECT format('%I', rolname) FROM pg_roles WHERE rolname LIKE '%' || $1 || '%'", row => row.GetString(0), CancellationToken.None, mark);
        foreach (var role in roles)
        {
            await session.ExecuteAsync($"DROP OWNED BY {role} CASCADE", CancellationToken.None);
        }

        foreach (var role in roles)
        {
            await session.ExecuteAsync($"DROP ROLE {role}", CancellationToken.None);
        }
    }

    [Fact]
    public async Task Every_role_that_the_dump_names_is_there_whatever_it_is_called()
    {
        var (owner, grantee, grantor, member, defaults, mapped) = ($"{mark} \"owner\"", $"{mark} gran'tee; --", $"{mark}\ngrantor", $"{mark} mitglied äöü", new string('x', 55) + mark, $"{mark}-mapped");
        await SqlAsync(
            $"""
            CREATE ROLE {Q(owner)} LOGIN PASSWORD 'never-in-a-manifest'; CREATE ROLE {Q(grantee)}; CREATE ROLE {Q(grantor)}; CREATE ROLE {Q(member)}; CREATE ROLE {Q(defaults)}; CREATE ROLE {Q(mapped)};
            CREATE SCHEMA s AUTHORIZATION {Q(owner)};
            CREATE TABLE s.t (i int, c text); ALTER TABLE s.t OWNER TO {Q(owner)};
            GRANT USAGE ON SCHEMA s TO PUBLIC;
            GRANT SELECT ON s.t TO {Q(grantor)} WITH GRANT OPTION;
            SET ROLE {Q(grantor)}; GRANT SELECT ON s.t TO {Q(grantee)}; RESET ROLE;
            GRANT UPDATE (c) ON s.t TO {Q(grantee)};
            CREATE POLICY p ON s.t TO {Q(member)} USING (i > 0);
            ALTER DEFAULT PRIVILEGES FOR ROLE {Q(defaults)} IN SCHEMA s GRANT SELECT ON TABLES TO {Q(grantee)};
            CREATE FOREIGN DATA WRAPPER w; CREATE SERVER f FOREIGN DATA WRAPPER w; CREATE USER MAPPING FOR {Q(mapped)} SERVER f OPTIONS (x 'y');
            """);

        await using var session = await PostgresSession.OpenAsync(source, "aragora-tests");
        var shape = await SourceShape.ReadAsync(session, CancellationToken.None);
        shape.Roles.Select(role => role.Name).Where(role => role.Contains(mark, StringComparison.Ordinal)).ShouldBe([owner, grantee, grantor, member, defaults, mapped], ignoreOrder: true);
        var verified = await VerifyAsync();
        (await File.ReadAllTextAsync(Path.Combine(verified.Backup.Folder, ManifestFile.Name))).ShouldNotContain("never-in-a-manifest");
    }

    [Fact]
    public async Task A_materialized_view_whose_owner_reads_by_membership_or_as_superuser_is_filled()
    {
        await SqlAsync(
            $"""
            CREATE ROLE group_{mark}; CREATE ROLE owner_{mark} IN ROLE group_{mark}; CREATE ROLE super_{mark} SUPERUSER; CREATE ROLE seer_{mark} BYPASSRLS IN ROLE pg_read_all_data;
            CREATE TABLE t (i int); INSERT INTO t VALUES (1); GRANT SELECT ON t TO group_{mark};
            CREATE TABLE hidden (i int); INSERT INTO hidden VALUES (1); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
            CREATE MATERIALIZED VIEW by_membership AS SELECT * FROM t; ALTER MATERIALIZED VIEW by_membership OWNER TO owner_{mark};
            CREATE MATERIALIZED VIEW by_power AS SELECT * FROM hidden; ALTER MATERIALIZED VIEW by_power OWNER TO super_{mark};
            CREATE MATERIALIZED VIEW by_predefined AS SELECT * FROM hidden; ALTER MATERIALIZED VIEW by_predefined OWNER TO seer_{mark};
            """);
        await VerifyAsync();
    }

    [Fact]
    public async Task A_column_of_role_names_brings_all_roles()
    {
        await SqlAsync($"CREATE ROLE lonely_{mark}; CREATE DOMAIN d AS regrole; CREATE TABLE t (r d[]); INSERT INTO t VALUES (ARRAY['lonely_{mark}'::d])");
        await VerifyAsync();
    }

    private static string Q(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    private Task SqlAsync(string sql) => RealServer.SqlAsync(source, sql);

    private async Task<VerifiedBackup> VerifyAsync()
    {
        var made = await BackupScenario.BackUpAsync(run, source);
        return await BackupScenario.VerifyAsync(run, source, made.Backup);
    }
}
