using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations;

/// <summary>Migrates one environment forward: what MigrateStaging and MigrateProduction do once their gates are open.</summary>
public sealed class Migrator(RunContext run, ICommandRunner commands, IMigrationRunner runner, MigratorOptions options)
{
    /// <summary>Brings the database to a revision. Success is what the database says afterwards.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="tree">The tree, as <see cref="MigrationsTreeReader"/> read it.</param>
    /// <param name="requested"><c>head</c>, <c>+N</c>, a revision id, or the beginning of one.</param>
    /// <param name="gate">Asked before anything moves; null for a database that no gate protects.</param>
    /// <param name="cancellation">Ends the migration: its statement is cancelled, it rolls back, the lock is released, and the message says where the database stands.</param>
    /// <returns>With <c>Moved</c> false where the database is there already.</returns>
    /// <exception cref="BadInputException">No such revision; the database cannot be reached.</exception>
    /// <exception cref="RefusedException">Two heads, a revision in the database that the tree lacks, tables without a revision, another run at work, a pooler.</exception>
    /// <exception cref="FailedCleanException">It failed, and the database is as it was.</exception>
    /// <exception cref="NeedsPersonException">It failed on the way; the message says where it stands and what is left behind.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled, and the database is as it was.</exception>
    public async Task<MigrationResult> MigrateAsync(DatabaseEnvironment environment, MigrationsTree tree, string requested, MigrationGate? gate, CancellationToken cancellation)
    {
        run.Secrets.Add(environment.Database.Password);
        var facts = await DatabaseInspector.ReadAsync(environment, cancellation);
        await VersionTable.RequireAsync(environment, facts, cancellation);
        await new RevisionOrigin(run, commands).RequireKnownAsync(tree, environment, facts.Revisions, cancellation);
        if (facts.Revisions.Count == 0)
        {
            run.Log.Information("The {Environment} database has no revision yet: every migration runs from the first", environment.DisplayName);
        }

        return await new RevisionMove(run, runner, options).RunAsync(
            environment,
            tree,
            $"migrate {environment.DisplayName}",
            EvidenceKinds.Migration,
            // A relative target is relative to what the person saw, not to what another run made of it.
            requested.StartsWith('+') ? Fixed(RevisionTarget.Resolve(tree, facts.Revisions, requested, MigrationDirection.Upgrade).Revision) : Fixed(requested),
            gate,
            cancellation);

        Func<DatabaseFacts, RevisionTarget> Fixed(string target) => seen => RevisionTarget.Resolve(tree, seen.Revisions, target, MigrationDirection.Upgrade);
    }
}
