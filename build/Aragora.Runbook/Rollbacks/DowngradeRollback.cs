using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Rollbacks;

/// <summary>The rollback that runs the revisions' own downgrades. Needs the database, this checkout and Alembic, and no other part of the world.</summary>
public sealed class DowngradeRollback(RunContext run, ICommandRunner commands, IMigrationRunner runner, MigratorOptions options)
{
    /// <summary>Asked when there is something to move and nobody else can change the database any more; refuses by throwing. Default: none.</summary>
    public Func<DatabaseEnvironment, MigrationGate>? Gate { get; init; }

    /// <summary>Goes back.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="tree">The tree; it must contain the database's revision.</param>
    /// <param name="requested"><c>-N</c>, <c>base</c>, a revision id, or the beginning of one.</param>
    /// <param name="acceptDataLoss">The value of <c>--accept-data-loss</c>: what the downgrades destroy is known and wanted.</param>
    /// <param name="cancellation">Ends the downgrade as <see cref="Migrator.MigrateAsync"/> describes it.</param>
    /// <returns>With <c>Moved</c> false where the database is there already.</returns>
    /// <exception cref="RefusedException">This checkout lacks the database's revision; a revision cannot be undone; data would be lost and that was not accepted; another run is at work.</exception>
    /// <exception cref="FailedCleanException">It failed, and the database is as it was.</exception>
    /// <exception cref="NeedsPersonException">It failed on the way.</exception>
    public async Task<MigrationResult> RunAsync(DatabaseEnvironment environment, MigrationsTree tree, string requested, bool acceptDataLoss, CancellationToken cancellation)
    {
        run.Secrets.Add(environment.Database.Password);
        var facts = await DatabaseInspector.ReadAsync(environment, cancellation);
        if (facts.RevisionStamp is null)
        {
            throw new RefusedException($"The {environment.DisplayName} database has no alembic_version.", "no migration has run on it, so there is none to undo; or the table was dropped", "./build.sh Status");
        }

        await new RevisionOrigin(run, commands).RequireKnownAsync(tree, environment, facts.Revisions, cancellation);
        // A relative target is relative to what the person saw, not to what another run made of it.
        var target = RevisionTarget.Resolve(tree, facts.Revisions, requested, MigrationDirection.Downgrade);
        Check(environment, target, acceptDataLoss);
        Accept(environment, target);

        return await new RevisionMove(run, runner, options).RunAsync(
            environment,
            tree,
            $"roll back {environment.DisplayName}",
            EvidenceKinds.Rollback,
            seen => Check(environment, RevisionTarget.Resolve(tree, seen.Revisions, target.Revision, MigrationDirection.Downgrade), acceptDataLoss),
            Gate?.Invoke(environment),
            cancellation);
    }

    /// <summary>What was overridden is remembered: the loss was shown, and somebody wanted it.</summary>
    private void Accept(DatabaseEnvironment environment, RevisionTarget target)
    {
        var losses = target.Steps.Where(step => step.DowngradeDestroys is not null).Select(step => new { Revision = step.Id, Destroys = step.DowngradeDestroys }).ToList();
        foreach (var loss in losses)
        {
            run.Log.Warning("Accepted: {Revision} destroys {What}", loss.Revision, loss.Destroys);
        }

        if (losses.Count > 0)
        {
            run.Journal.Note("override: accept data loss", new { Environment = environment.DisplayName, To = target.Revision, Losses = losses, run.Who });
        }
    }

    private static RevisionTarget Check(DatabaseEnvironment environment, RevisionTarget target, bool acceptDataLoss)
    {
        if (target.Steps.FirstOrDefault(step => !step.HasDowngrade) is { } irreversible)
        {
            throw new RefusedException(
                $"{irreversible} cannot be undone: its downgrade does nothing, or only raises.",
                $"{irreversible.File}; Alembic would move the revision back and leave the schema as it is, or stop halfway",
                $"write its downgrade, stop above it with --revision, or restore a backup: ./build.sh Rollback --target-environment {environment.Name} --strategy Restore --revision {target.Revision}");
        }

        var destroys = target.Steps.Where(step => step.DowngradeDestroys is not null).ToList();
        if (destroys.Count > 0 && !acceptDataLoss)
        {
            throw new RefusedException(
                $"Going back to {target.Revision} destroys data in the {environment.DisplayName} database, or may.",
                string.Join(Environment.NewLine + "        ", destroys.Select(step => $"{step}: {step.DowngradeDestroys}")),
                $"./build.sh Rollback --strategy Downgrade --target-environment {environment.Name} --revision {target.Revision} --accept-data-loss");
        }

        return target;
    }
}
