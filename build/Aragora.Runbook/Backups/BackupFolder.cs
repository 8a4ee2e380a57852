using System.Globalization;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Backups;

/// <summary>A backup's folder while it is being made: named <c>….partial</c> until everything is in it and on disk.</summary>
public sealed class BackupFolder
{
    /// <summary>The end of the name of a folder that is not finished.</summary>
    public const string PartialSuffix = ".partial";

    private const int LongestDatabasePart = 63;
    private const string SyncProgram = "/usr/bin/sync";
    private static readonly Lock Reserving = new();

    private BackupFolder(string final) => Final = final;

    /// <summary>Where the backup will be.</summary>
    public string Final { get; }

    /// <summary>Where it is being made.</summary>
    public string Partial => Final + PartialSuffix;

    /// <summary>Reserves a name that nothing bears, and makes the partial folder (mode 0700).</summary>
    /// <param name="parent">The folder of all backups; made (mode 0700) if it is not there.</param>
    /// <param name="database">The database's name; what is not safe in a folder's name becomes <c>_</c>.</param>
    /// <param name="startedAt">In the name, to the second, UTC.</param>
    /// <param name="runId">In the name: unique among runs. A second backup of one run in one second gets a number.</param>
    public static BackupFolder Reserve(string parent, string database, DateTimeOffset startedAt, string runId)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Safe(database)}-{startedAt.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{Safe(runId)}");

        // Another process has another run id; within this one the lock keeps two backups apart.
        lock (Reserving)
        {
            var folder = new BackupFolder(Path.Combine(parent, name));
            for (var number = 2; Directory.Exists(folder.Final) || Directory.Exists(folder.Partial); number++)
            {
                folder = new BackupFolder(Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"{name}-{number}")));
            }

            Directory.CreateDirectory(Path.GetDirectoryName(parent) ?? parent);
            MakePrivate(parent);
            MakePrivate(folder.Partial);
            return folder;
        }
    }

    /// <summary>Letters, digits, <c>-</c> and <c>_</c> stay: no name leads out of its folder, hides, or breaks a script.</summary>
    public static string Safe(string name)
    {
        var safe = new string([.. name.Take(LongestDatabasePart).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_')]);
        return safe.Length == 0 ? "_" : safe;
    }

    /// <summary>Takes every right from everybody else, on every file.</summary>
    public void MakeFilesPrivate()
    {
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in Directory.EnumerateFiles(Partial))
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
        }
    }

    /// <summary>Flushes every file to disk, and gives the folder its final name. It never replaces anything.</summary>
    /// <exception cref="FailedCleanException">The folder could not be flushed; it has no final name.</exception>
    public async Task PublishAsync(ICommandRunner commands, CancellationToken cancellation)
    {
        foreach (var file in Directory.EnumerateFiles(Partial))
        {
            using var handle = File.OpenHandle(file);
            RandomAccess.FlushToDisk(handle);
        }

        if (await SyncAsync(Partial, commands, cancellation) is { Succeeded: false } failed)
        {
            throw new FailedCleanException("The backup could not be flushed to disk; it was removed.", $"{SyncProgram} {Partial} ended with exit code {failed.ExitCode}: {failed.Tail()}", "see to the disk, then ./build.sh Backup");
        }

        Directory.Move(Partial, Final);

        // A new name that is lost with the power leaves a folder that ends with .partial, and no backup that is less than whole.
        await SyncAsync(Path.GetDirectoryName(Final)!, commands, CancellationToken.None);
    }

    /// <summary>Empties the partial folder for another attempt.</summary>
    public Task EmptyAsync(TimeProvider clock) => WhileInUseAsync(
        () =>
        {
            foreach (var file in Directory.EnumerateFiles(Partial))
            {
                File.Delete(file);
            }
        },
        clock);

    /// <summary>Removes the partial folder and everything in it.</summary>
    public Task RemoveAsync(TimeProvider clock) => WhileInUseAsync(
        () =>
        {
            if (Directory.Exists(Partial))
            {
                Directory.Delete(Partial, recursive: true);
            }
        },
        clock);

    /// <summary>pg_dump's workers may live a moment longer than pg_dump, and write what was just deleted.</summary>
    private static async Task WhileInUseAsync(Action delete, TimeProvider clock)
    {
        const int Attempts = 20;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                delete();
                return;
            }
            catch (IOException) when (attempt < Attempts)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), clock);
            }
        }
    }

    /// <summary>.NET cannot flush a folder's own entries; coreutils can.</summary>
    private static async Task<CommandResult?> SyncAsync(string folder, ICommandRunner commands, CancellationToken cancellation) =>
        OperatingSystem.IsLinux() && File.Exists(SyncProgram) ? await commands.RunAsync(new Command { Program = SyncProgram, Arguments = [folder] }, cancellation: cancellation) : null;

    private static void MakePrivate(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
