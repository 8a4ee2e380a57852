using System.Globalization;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations;

/// <summary>Sees to it that the files that Alembic runs are those that the gate was asked about: Alembic reads them once more when it starts.</summary>
/// <param name="run">The run.</param>
/// <param name="tree">The tree as it was read.</param>
/// <param name="currentHash">Reads it anew; null where nobody is to look.</param>
internal sealed class TreeGuard(RunContext run, MigrationsTree tree, Func<CancellationToken, Task<string>>? currentHash)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Refuses to start with other files.</summary>
    /// <exception cref="RefusedException">They changed, or do not load any more.</exception>
    public async Task RequireUnchangedAsync(CancellationToken cancellation)
    {
        if (await ReadChangeAsync(cancellation) is { } change)
        {
            throw new RefusedException(
                $"The migrations in {tree.Directory} changed since this run read them.",
                $"{change}; what was checked is not what Alembic would run. Nothing was moved",
                "let no editor, checkout or build write there, look at git status and git diff, and repeat the command");
        }
    }

    /// <summary>How the files changed while Alembic ran, for people; null where they did not. Not cancelled with the run, as the database's state is not.</summary>
    public async Task<string?> ChangeAsync()
    {
        using var patience = new CancellationTokenSource(Patience, run.Clock);
        string? change;
        try
        {
            change = await ReadChangeAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            change = string.Create(CultureInfo.InvariantCulture, $"they could not be read again within {Patience.TotalSeconds:0} s");
        }

        if (change is not null)
        {
            run.Log.Warning("The migrations in {Folder} changed while Alembic ran: {Change}", tree.Directory, change);
        }

        return change;
    }

    /// <summary>The database is where it was to be, by files that nobody can name: no evidence may say that they were this tree's.</summary>
    public static NeedsPersonException Unclear(MoveStory story, MoveState state, string change) => new(
        $"{story.Act}: the files in {story.Tree.Directory} changed while Alembic ran.",
        $"{change}. The {story.Environment.DisplayName} database is at {state.After.Revisions.Named()}, where it was to be, but it is not known which version of the files ran; no evidence was written",
        "compare the schema with what the checked files make of it (git diff shows how they differ now); then ./build.sh Status");

    private async Task<string?> ReadChangeAsync(CancellationToken cancellation)
    {
        if (currentHash is null)
        {
            return null;
        }

        try
        {
            var hash = await currentHash(cancellation);
            return hash == tree.Hash ? null : $"the tree was {Short(tree.Hash)} and is {Short(hash)} now";
        }
        catch (RunbookException broken)
        {
            return $"it does not load any more: {broken.Why}";
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return $"it cannot be read any more: {unreadable.Message}";
        }
    }

    private static string Short(string hash) => hash[..Math.Min(12, hash.Length)];
}
