using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations;

/// <summary>Finds the commit that has a revision which this checkout lacks: in git's history, and in evidence of earlier runs. Local only: no remote is asked.</summary>
public sealed class RevisionOrigin(RunContext run, ICommandRunner commands)
{
    /// <summary>Refuses when the database is at a revision that the tree does not have, and says where it is.</summary>
    /// <exception cref="RefusedException">The tree lacks one of the revisions.</exception>
    public async Task RequireKnownAsync(MigrationsTree tree, DatabaseEnvironment environment, IReadOnlyList<string> revisions, CancellationToken cancellation)
    {
        foreach (var revision in revisions.Where(revision => tree.Find(revision) is null))
        {
            var origin = await FindAsync(tree.Directory, revision, cancellation);
            throw new RefusedException(
                $"The {environment.DisplayName} database is at {revision}, which is not in {tree.Directory}.",
                origin?.Description ?? "no commit that this clone knows has it: it was migrated from a branch that was never fetched, or never pushed",
                origin is null ? "git fetch --all, then repeat the command; or ask who migrated last" : $"git worktree add ../at-{origin.ShortCommit} {origin.Commit}   then run the same command there");
        }
    }

    /// <summary>The commit that added the revision; null where none is known.</summary>
    /// <param name="folder">The tree's folder.</param>
    /// <param name="revision">The revision's id.</param>
    /// <param name="cancellation">Cancels git.</param>
    public async Task<FoundCommit?> FindAsync(string folder, string revision, CancellationToken cancellation)
    {
        var log = await GitAsync(folder, ["log", "--all", "--format=%H%x09%cs%x09%s", $"-S{revision}", "--", "."], cancellation);
        if (log.Count > 0 && log[^1].Split('\t') is [var commit, var date, var subject])
        {
            var refs = await GitAsync(folder, ["for-each-ref", "--contains", commit, "--format=%(refname:short)", "--count=3"], cancellation);
            return new FoundCommit(commit, $"commit {commit[..10]} of {date} has it (\"{subject}\"{(refs.Count > 0 ? ", on " + string.Join(", ", refs) : "")})");
        }

        var evidence = run.Evidence.ReadAll().Accepted.FirstOrDefault(record => record.Revisions.Contains(revision, StringComparer.Ordinal) && record.GitCommit is not null);
        return evidence is null
            ? null
            : new FoundCommit(evidence.GitCommit!.Split('+')[0], $"run {evidence.RunId} of {evidence.MadeAt:yyyy-MM-dd HH:mm} UTC by {evidence.Who} left it there, from commit {evidence.GitCommit}");
    }

    private async Task<IReadOnlyList<string>> GitAsync(string folder, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        try
        {
            var result = await commands.RunAsync(new Command { Program = "git", Arguments = arguments, WorkingDirectory = folder }, cancellation: cancellation);
            return result.Succeeded ? result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];
        }
        catch (FailedCleanException noGit)
        {
            run.Log.Debug(noGit, "git cannot be asked for a revision");
            return [];
        }
    }
}

/// <summary>A commit that has a revision.</summary>
/// <param name="Commit">Its hash.</param>
/// <param name="Description">How it was found, for people.</param>
public sealed record FoundCommit(string Commit, string Description)
{
    /// <summary>The first ten digits of the hash.</summary>
    public string ShortCommit => Commit[..Math.Min(10, Commit.Length)];
}
