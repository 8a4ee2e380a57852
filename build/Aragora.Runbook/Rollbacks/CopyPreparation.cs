using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Backups;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Restores;
using Npgsql;

namespace Aragora.Runbook.Rollbacks;

/// <summary>Gives the copy beside the live database what VerifyBackup gives its scratch database: a backup whose trial is green must not fail here for want of it.</summary>
/// <param name="shape">The backup's source.</param>
/// <param name="copy">The copy, empty.</param>
internal sealed class CopyPreparation(SourceShape shape, DatabaseEnvironment copy)
{
    private const string DefaultVersions = "SELECT name::text, default_version FROM pg_catalog.pg_available_extensions";

    /// <summary>Refuses, before a copy is made, what the live server lacks for one.</summary>
    /// <exception cref="RefusedException">A role, an extension, a collation or a locale is missing, or the right to make it; the message has the lines that make up for it.</exception>
    public static async Task RequireAsync(RunContext run, PostgresSession maintenance, BackupReference backup, CancellationToken cancellation)
    {
        var needs = new RestoreNeeds(maintenance, backup.Manifest.Shape);
        var lacks = await needs.FindAsync(cancellation);
        if (lacks.Count > 0)
        {
            throw new RefusedException(
                $"{backup.Name} cannot be restored beside the live database as the server is now: it lacks {string.Join(", ", lacks.Select(lack => lack.What))}.",
                string.Join("; ", lacks.Select(lack => lack.Why)) + ". The live database was not touched",
                string.Join(Environment.NewLine + "        ", lacks.Select(lack => lack.Next).Distinct(StringComparer.Ordinal).Append("then repeat the command")));
        }

        if (await needs.GoneAndPerhapsNamedAsync(cancellation) is { Count: > 0 } gone)
        {
            run.Log.Warning("Roles that were there when {Backup} was made are gone: {Roles:l}. The restore goes on, for the backup need not name them", backup.Name, string.Join(", ", gone));
        }
    }

    /// <summary>Collations of the cluster, extensions in the source's versions, and the way that money is written.</summary>
    /// <returns>What the restore has to leave out, since it is there now.</returns>
    /// <exception cref="RefusedException">The role may not make one of them.</exception>
    /// <exception cref="FailedCleanException">The server's disk is full.</exception>
    public async Task<RestoreSelection> FurnishAsync(CancellationToken cancellation)
    {
        try
        {
            await using var session = await OpenAsync(cancellation);
            await new ScratchLayout(session).CreateCollationsAsync(shape.Collations, cancellation);
            var made = await ComeByThemselvesAsync(session, cancellation) ? [] : await ScratchExtensions.CreateAsync(session, shape, cancellation);
            if (shape.Monetary is not null)
            {
                // The strongest there is: a setting of the role's own would win over the database's.
                await session.ExecuteAsync($"ALTER ROLE CURRENT_USER IN DATABASE {SqlText.Identifier(copy.Database.Database)} SET lc_monetary = {SqlText.Literal(shape.Monetary)}", cancellation);
            }

            return new RestoreSelection { LeftOut = made };
        }
        catch (PostgresException full) when (full.SqlState == PostgresErrorCodes.DiskFull)
        {
            throw new FailedCleanException("The copy could not be prepared; the live database was not touched.", full.MessageText, "free disk on the server, then repeat the command", full);
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.UndefinedFile or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.FeatureNotSupported or PostgresErrorCodes.ObjectNotInPrerequisiteState)
        {
            throw new RefusedException(
                "The copy cannot be given what the backup needs (extensions, collations); the live database was not touched.",
                refused.MessageText,
                "let a superuser run the command (or, on a managed service, its administrator, such as rds_superuser)",
                refused);
        }
    }

    /// <summary>What was for the restore alone goes: the copy gets the live database's settings.</summary>
    public async Task ClearAsync(CancellationToken cancellation)
    {
        if (shape.Monetary is not null)
        {
            await using var session = await OpenAsync(cancellation);
            await session.ExecuteAsync($"ALTER ROLE CURRENT_USER IN DATABASE {SqlText.Identifier(copy.Database.Database)} RESET lc_monetary", cancellation);
        }
    }

    /// <summary>An archive names no version: it brings the default one.</summary>
    private async Task<bool> ComeByThemselvesAsync(PostgresSession session, CancellationToken cancellation)
    {
        var defaults = (await session.QueryAsync(DefaultVersions, row => (Name: row.GetString(0), Version: row.GetString(1)), cancellation)).ToDictionary(found => found.Name, found => found.Version, StringComparer.Ordinal);
        return shape.Extensions.All(extension => defaults.GetValueOrDefault(extension.Name) == extension.Version);
    }

    private Task<PostgresSession> OpenAsync(CancellationToken cancellation) => PostgresSession.OpenAsync(copy, "aragora-prepare", cancellation: cancellation);
}
