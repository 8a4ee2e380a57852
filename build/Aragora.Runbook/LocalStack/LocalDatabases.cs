using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Npgsql;

namespace Aragora.Runbook.LocalStack;

/// <summary>Role and databases of the local stack. The role is what RDS gives people: no superuser, but CREATEDB, pg_monitor and pg_signal_backend.</summary>
/// <remarks>
/// A database is made under <see cref="Unfinished"/> and renamed when it is seeded; CREATE DATABASE from a template is atomic as well.
/// So whatever bears its final name is whole, whenever the making was interrupted, and a later restore that swaps names loses no marker.
/// </remarks>
internal sealed class LocalDatabases(RunContext run, PostgresUrl server, ILocalSeeder seeder)
{
    public const string Role = "aragora";
    public const string Unfinished = "aragora_unfinished_seed";
    private const string ApplicationName = "aragora-local-stack";

    public static string NameOf(TargetEnvironment name) => name == TargetEnvironment.Production ? "aragora_production" : "aragora_staging";

    /// <summary>The environment that an engineer works with.</summary>
    public static DatabaseEnvironment Environment(PostgresUrl server, string password, TargetEnvironment name, Uri? health) => new()
    {
        Name = name,
        Database = server with { User = Role, Password = password, Database = NameOf(name) },
        HealthUrl = health,
        IsLocalStack = true,
    };

    /// <summary>Makes what is missing; leaves what is there as it is.</summary>
    public async Task EnsureAsync(string password, CancellationToken cancellation)
    {
        await using var admin = await PostgresSession.OpenAsync(Admin(), ApplicationName, cancellation: cancellation);
        await EnsureRoleAsync(admin, password, cancellation);
        await admin.ExecuteAsync($"""DROP DATABASE IF EXISTS "{Unfinished}" WITH (FORCE)""", cancellation);
        var there = await admin.QueryAsync("SELECT datname::text FROM pg_database", row => row.GetString(0), cancellation);
        var missing = new[] { TargetEnvironment.Production, TargetEnvironment.Staging }.Where(name => !there.Contains(NameOf(name), StringComparer.Ordinal)).ToList();
        if (missing.Count == 0)
        {
            return;
        }

        await run.Journal.ActAsync($"make the local databases {string.Join(", ", missing.Select(NameOf))}", new { server = server.Endpoint }, async () =>
        {
            var started = run.Clock.GetTimestamp();
            var revision = await SeedAsync(admin, password, cancellation);
            foreach (var name in missing.SkipLast(1))
            {
                await admin.ExecuteAsync($"""CREATE DATABASE "{NameOf(name)}" TEMPLATE "{Unfinished}" OWNER "{Role}" """, cancellation);
            }

            await admin.ExecuteAsync($"""ALTER DATABASE "{Unfinished}" RENAME TO "{NameOf(missing[^1])}" """, cancellation);
            run.Log.Information("Made {Databases} at revision {Revision} in {Seconds:0.0} s", missing.Select(NameOf), revision ?? "none", run.Clock.GetElapsedTime(started).TotalSeconds);
            return new { revision };
        });
    }

    private static async Task EnsureRoleAsync(PostgresSession admin, string password, CancellationToken cancellation)
    {
        try
        {
            await admin.ExecuteAsync($"""CREATE ROLE "{Role}" LOGIN CREATEDB""", cancellation);
        }
        catch (PostgresException exists) when (exists.SqlState == PostgresErrorCodes.DuplicateObject)
        {
            // Made by an earlier run; its password is set below all the same.
        }

        await admin.ExecuteAsync($"""ALTER ROLE "{Role}" PASSWORD '{password}' """, cancellation); // our own hexadecimal digits
        await admin.ExecuteAsync($"""GRANT pg_monitor, pg_signal_backend TO "{Role}" """, cancellation);
    }

    private async Task<string?> SeedAsync(PostgresSession admin, string password, CancellationToken cancellation)
    {
        // template0: a machine's template1 may hold anything.
        await admin.ExecuteAsync($"""CREATE DATABASE "{Unfinished}" OWNER "{Role}" TEMPLATE template0""", cancellation);
        var fresh = new DatabaseEnvironment { Name = TargetEnvironment.Staging, IsLocalStack = true, Database = server with { User = Role, Password = password, Database = Unfinished } };
        var revision = await seeder.SeedAsync(fresh, cancellation);

        // Neither the template nor the renamed one may have a session in it; a child of the seeder may be closing its own still.
        await admin.ExecuteAsync("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1", cancellation, Unfinished);
        return revision;
    }

    private DatabaseEnvironment Admin() => new() { Name = TargetEnvironment.Staging, IsLocalStack = true, Database = server };
}
