using Aragora.Runbook.Adapters.Processes;

namespace Aragora.Runbook.Journal;

/// <summary>What git says of the checkout; a checkout without git says nothing.</summary>
public static class Checkout
{
    /// <summary>The commit, with <c>+changes</c> behind it where tracked files differ from it; null without git.</summary>
    public static async Task<string?> CommitAsync(string root, ICommandRunner commands, CancellationToken cancellation)
    {
        if (!Directory.Exists(Path.Combine(root, ".git")) && !File.Exists(Path.Combine(root, ".git")))
        {
            return null;
        }

        try
        {
            var commit = await commands.RunAsync(Git(root, "rev-parse", "--short=12", "HEAD"), cancellation: cancellation);
            var changes = await commands.RunAsync(Git(root, "status", "--porcelain", "--untracked-files=no"), cancellation: cancellation);
            return commit.Succeeded ? commit.Output.Trim() + (changes.Output.Trim().Length > 0 ? "+changes" : "") : null;
        }
        catch (Outcomes.FailedCleanException)
        {
            // git is not installed: the evidence names no commit, the tree's hash still names the migrations.
            return null;
        }
    }

    // safe.directory: a checkout that belongs to another user (CI containers) is read all the same.
    private static Command Git(string root, params string[] arguments) => new() { Program = "git", Arguments = ["-c", $"safe.directory={root}", "-C", root, .. arguments] };
}
