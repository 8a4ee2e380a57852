using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Digests;
using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Backups;

/// <summary>Asks a pg_dump which options of a table it would take along, by letting it dump that table's definition.</summary>
/// <param name="commands">Starts it.</param>
public sealed class OptionProbe(ICommandRunner commands)
{
    private const int LockPatienceMilliseconds = 2000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Those of the notes that it takes along; null where it could not say.</summary>
    /// <param name="environment">The database.</param>
    /// <param name="pgDump">The path of pg_dump.</param>
    /// <param name="notes">The table, and what to look for.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task<IReadOnlySet<string>?> AskAsync(DatabaseEnvironment environment, string pgDump, ServersNotes notes, CancellationToken cancellation)
    {
        using var password = PasswordFile.For(environment.Database);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bounded.CancelAfter(Patience);
        try
        {
            var result = await commands.RunAsync(Question(environment, pgDump, notes, password), cancellation: bounded.Token);
            return result.Succeeded ? ArchiveReader.OptionsIn(result.Output, notes.Options) : null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // pg_dump waits without end for the locks of catalogues.
            return null;
        }
    }

    private static Command Question(DatabaseEnvironment environment, string pgDump, ServersNotes notes, PasswordFile? password) => new()
    {
        Program = pgDump,
        Arguments = ["--schema-only", "--no-password", $"--lock-wait-timeout={LockPatienceMilliseconds}", $"--table={notes.Table}", $"--dbname={ClientEnvironment.DatabaseArgument(environment.Database)}"],
        Environment = ClientEnvironment.For(environment.Database, password, "aragora-preflight"),
    };
}
