using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;

namespace Aragora.Runbook.Preflight;

/// <summary>What the databases are: primaries that can be written to, and not the same one twice.</summary>
public static class IdentityChecks
{
    /// <summary>A standby, or a database that is read-only by a setting, cannot be migrated.</summary>
    public static PreflightCheck Primary { get; } = new("primary", "Primary, writable", async (subject, cancellation) =>
    {
        if (await subject.Session.ScalarAsync<bool>("SELECT pg_is_in_recovery()", cancellation))
        {
            return new Finding.Refusal(
                $"{subject.Environment.Endpoint} is a standby (in recovery): nothing can be written there",
                $"name the primary in {subject.Environment.UrlVariable}");
        }

        return subject.IsReadOnlyByDefault
            ? new Finding.Refusal(
                $"sessions of {subject.Role} are read-only by default (default_transaction_read_only = on): a failover, a full disk, or somebody's setting",
                $"find out why; then ALTER DATABASE {subject.Database} RESET default_transaction_read_only (or ALTER ROLE, ALTER SYSTEM)")
            : new Finding.Ok("a primary, writable");
    })
    { IsEssential = true };

    /// <summary>Equal identities in two environments are one database, or a physical clone that nobody told apart.</summary>
    /// <param name="staging">What staging said it is.</param>
    /// <param name="production">What production said it is.</param>
    public static Finding Compare(DatabaseFacts staging, DatabaseFacts production)
    {
        var (one, other) = (staging.Identity, production.Identity);
        if (one.SystemIdentifier != other.SystemIdentifier || one.DatabaseOid != other.DatabaseOid || one.DatabaseName != other.DatabaseName)
        {
            return new Finding.Ok("staging and production are two databases");
        }

        var told = one.EnvironmentId is not null && other.EnvironmentId is not null && one.EnvironmentId != other.EnvironmentId;
        var sameEndpoint = one.Endpoint == other.Endpoint;
        return (told, sameEndpoint) switch
        {
            (_, true) => new Finding.Refusal($"staging and production are the same database: {one}", "correct STAGING_DATABASE_URL or PRODUCTION_DATABASE_URL"),
            (true, false) => new Finding.Ok($"staging is a physical clone of production; told apart by their ids ({one.EnvironmentId}, {other.EnvironmentId})"),
            _ => new Finding.Refusal(
                $"staging and production say that they are the same database: {one}, {other}",
                "if staging is a physical clone (restored from a snapshot), give each an id: --staging-environment-id, --production-environment-id; else correct a URL"),
        };
    }

    /// <summary>Whether the server starts this role's sessions read-only; to be asked before the session makes itself so.</summary>
    internal static async Task<bool> IsReadOnlyByDefaultAsync(PostgresSession session, CancellationToken cancellation) =>
        await session.ScalarAsync<bool>("SELECT current_setting('default_transaction_read_only')::boolean", cancellation);
}
