using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Backups;

/// <summary>Writes the cluster's roles and tablespaces, without any password, beside a backup: what a person needs who rebuilds the whole server.</summary>
/// <param name="run">Log and secrets.</param>
/// <param name="environment">A database of the cluster; no other is connected to.</param>
/// <param name="client">The clients that dump; <c>pg_dumpall</c> lies in their folder.</param>
/// <param name="commands">Starts it, and ends it when we are cancelled.</param>
public sealed class GlobalsDump(RunContext run, DatabaseEnvironment environment, PostgresClient client, ICommandRunner commands)
{
    /// <summary>The file's name in a backup's folder.</summary>
    public const string FileName = "globals.sql";

    /// <summary>pg_dumpall's name in <c>pg_stat_activity</c>.</summary>
    public string ApplicationName => $"aragora-backup-{run.RunId}";

    /// <summary>pg_dumpall's arguments; no secret is among them. Without role passwords, it reads pg_roles, which every role may.</summary>
    public IReadOnlyList<string> Arguments(string file) =>
    [
        "--globals-only",
        "--no-role-passwords",
        "--no-password",
        $"--file={file}",
        $"--database={ClientEnvironment.DatabaseArgument(environment.Database)}",
    ];

    /// <summary>Writes the file.</summary>
    /// <param name="file">Where to; overwritten.</param>
    /// <param name="cancellation">Ends pg_dumpall.</param>
    /// <exception cref="RefusedException">There is no pg_dumpall beside pg_dump.</exception>
    /// <exception cref="FailedCleanException">It failed; the file may be half there.</exception>
    public async Task RunAsync(string file, CancellationToken cancellation)
    {
        if (!File.Exists(client["pg_dumpall"]))
        {
            throw new RefusedException("pg_dumpall was not found.", $"{client.Folder} has pg_dump, and not pg_dumpall", $"apt-get install postgresql-client-{client.Major}   (Red Hat: dnf install postgresql{client.Major})");
        }

        using var password = PasswordFile.For(environment.Database);
        var command = new Command
        {
            Program = client["pg_dumpall"],
            Arguments = Arguments(file),
            Environment = ClientEnvironment.For(environment.Database, password, ApplicationName),
        };
        run.Log.Debug("{Command}", command.ToString());
        var result = await commands.RunAsync(command, cancellation: cancellation);
        if (!result.Succeeded)
        {
            throw new FailedCleanException(
                run.Secrets.Apply($"The roles of the {environment.DisplayName} server could not be dumped: pg_dumpall ended with exit code {result.ExitCode}."),
                run.Secrets.Apply(result.Tail()),
                "./build.sh Preflight   tells what the role may not read");
        }
    }
}
