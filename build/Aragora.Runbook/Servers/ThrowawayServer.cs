using System.Globalization;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Servers;

/// <summary>A PostgreSQL server of this machine's own programs: loopback only, scram, a random password, no durability.</summary>
/// <remarks>
/// It outlives the process that started it, and is found again by its folder. Starting mends what it can: an interrupted first start and data of another major
/// version are erased and made anew, a stale pid file is removed, a port that somebody took meanwhile is exchanged, a server that crashed is started again.
/// </remarks>
public sealed class ThrowawayServer : IThrowawayServer
{
    /// <summary>A number in the socket's name; the folder is the server's own.</summary>
    private const int SocketPort = 5432;

    private readonly UnprivilegedUser user;
    private readonly ThrowawayServerOptions options;
    private readonly ICommandRunner commands;
    private readonly ServerState state;
    private readonly PostmasterProcess process;

    private ThrowawayServer(ServerBinaries binaries, UnprivilegedUser user, ThrowawayServerOptions options, ICommandRunner commands, ServerState state)
    {
        (Binaries, this.user, this.options, this.commands, this.state) = (binaries, user, options, commands, state);
        process = new PostmasterProcess(options.DataFolder);
        Url = new PostgresUrl
        {
            Host = state.OnSocket ? options.Folder : "127.0.0.1",
            Port = state.Port,
            User = Cluster.Superuser,
            Password = state.Password,
            Database = "postgres",
            Options = new Dictionary<string, string>(StringComparer.Ordinal) { ["sslmode"] = "disable" },
        };
    }

    /// <inheritdoc/>
    public PostgresUrl Url { get; }

    /// <summary>The programs it runs on.</summary>
    public ServerBinaries Binaries { get; }

    /// <inheritdoc/>
    public string Description => $"PostgreSQL {Binaries.Version} of {Binaries.Folder}";

    /// <summary>The server's own log.</summary>
    public string LogFile => options.LogFile;

    /// <summary>The locale that the cluster was made with: the one asked for, or the fallback.</summary>
    public string Locale => state.Locale ?? options.Locale;

    /// <summary>Makes a server, starts the one that is there, or finds it running. Several processes may ask at once: the others wait and find it.</summary>
    /// <exception cref="BadInputException">The folder is somebody else's, or cannot be entered by the user that the server runs as; the locale is missing.</exception>
    /// <exception cref="FailedCleanException">It does not start; the message holds the end of its log.</exception>
    public static async Task<ThrowawayServer> StartAsync(ServerBinaries binaries, ThrowawayServerOptions options, ICommandRunner commands, SecretMask secrets, CancellationToken cancellation)
    {
        options = options with { Folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Folder)) };
        var user = UnprivilegedUser.Current();
        using var only = await ExclusiveLock.AcquireAsync(options.LockFile, options.Folder, 3 * options.Patience, cancellation);
        var cluster = new Cluster(binaries, user, options, commands);
        var known = await ServerState.ReadAsync(options.Folder, cancellation);
        if (known is null || cluster.Major() != binaries.Major)
        {
            await cluster.ClearAsync(cancellation);
            known = await cluster.MakeAsync(cancellation);
        }
        else
        {
            await cluster.RefuseForeignAsync(cancellation);
        }

        secrets.Add(known.Password);
        var server = new ThrowawayServer(binaries, user, options, commands, known);
        return await server.AnswersSoonAsync(cancellation) ? server : await LaunchAsync(server, cancellation);
    }

    /// <summary>The server that an earlier process made in this folder, running or not; null where there is none.</summary>
    public static async Task<ThrowawayServer?> FindAsync(ServerBinaries binaries, ThrowawayServerOptions options, ICommandRunner commands, SecretMask secrets, CancellationToken cancellation)
    {
        options = options with { Folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Folder)) };
        if (await ServerState.ReadAsync(options.Folder, cancellation) is not { Container: null } state)
        {
            return null;
        }

        secrets.Add(state.Password);
        return new ThrowawayServer(binaries, UnprivilegedUser.Current(), options, commands, state);
    }

    /// <inheritdoc/>
    public async Task<string> LogTailAsync(int lines, CancellationToken cancellation) =>
        File.Exists(LogFile) ? string.Join('\n', (await File.ReadAllLinesAsync(LogFile, cancellation)).TakeLast(lines)) : "";

    /// <inheritdoc/>
    public async Task<bool> IsRunningAsync(CancellationToken cancellation) => process.Id() is not null && await ServerProbe.AnswersAsync(Url, cancellation);

    /// <inheritdoc/>
    /// <exception cref="FailedCleanException">It is still there, even after being killed.</exception>
    public Task StopAsync(CancellationToken cancellation) => EndAsync(keepsData: true, cancellation);

    /// <inheritdoc/>
    public async Task EraseAsync(CancellationToken cancellation)
    {
        var only = await ExclusiveLock.AcquireAsync(options.LockFile, options.Folder, 3 * options.Patience, cancellation);
        try
        {
            await EndAsync(keepsData: false, cancellation);
            if (Directory.Exists(options.Folder))
            {
                await new Cluster(Binaries, user, options, commands).RefuseForeignAsync(cancellation);
                Directory.Delete(options.Folder, recursive: true);
            }
        }
        finally
        {
            only.DisposeAndDelete();
        }
    }

    private async Task EndAsync(bool keepsData, CancellationToken cancellation)
    {
        if (!await process.EndAsync(keepsData, options.Patience, cancellation))
        {
            throw new FailedCleanException($"The throwaway PostgreSQL server in {options.Folder} does not end.", $"process {process.Id()} was killed and is still there", "look at that process, then repeat the command");
        }
    }

    private static async Task<ThrowawayServer> LaunchAsync(ThrowawayServer stopped, CancellationToken cancellation)
    {
        await stopped.StopAsync(cancellation); // one that is alive but does not answer
        const int Attempts = 5;
        for (var attempt = 1; ; attempt++)
        {
            stopped.process.RemoveStalePidFile();
            var port = stopped.state.OnSocket ? SocketPort : attempt == 1 ? LoopbackPort.FreeOr(stopped.state.Port) : LoopbackPort.Free();
            var server = new ThrowawayServer(stopped.Binaries, stopped.user, stopped.options, stopped.commands, stopped.state with { Port = port });
            await server.state.WriteAsync(server.options.Folder, cancellation); // before it listens, so that a run that is killed here leaves one that is found
            var logged = File.Exists(server.LogFile) ? new FileInfo(server.LogFile).Length : 0;
            var result = await server.LaunchOnceAsync(cancellation);
            if (result.Succeeded)
            {
                return server;
            }

            var why = await server.LoggedSinceAsync(logged, cancellation) is { Length: > 0 } log ? log : result.Tail();
            if (attempt == Attempts || !IsPassing(why))
            {
                await server.StopAsync(cancellation);
                throw new FailedCleanException($"The throwaway PostgreSQL server in {server.options.Folder} does not start.", why, "./build.sh LocalDown   erases it; then repeat the command");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200 * attempt), TimeProvider.System, cancellation);
        }
    }

    /// <summary>The port was taken between our look and the server's; or children of a killed server have not noticed yet.</summary>
    private static bool IsPassing(string log) =>
        log.Contains("Address already in use", StringComparison.Ordinal)
        || log.Contains("pre-existing shared memory block", StringComparison.Ordinal)
        || log.Contains("could not bind", StringComparison.Ordinal);

    private async Task<bool> AnswersSoonAsync(CancellationToken cancellation) =>
        state.Port > 0 && process.Id() is not null && await ServerProbe.WaitAsync(Url, options.Patience, () => Task.FromResult(process.Id() is not null), cancellation);

    private async Task<CommandResult> LaunchOnceAsync(CancellationToken cancellation)
    {
        var settings = options.AllSettings(options.OnSocket ? "" : "127.0.0.1", state.Port.ToString(CultureInfo.InvariantCulture));
        var lines = settings.Select(setting => $"{setting.Key} = '{setting.Value.Replace("'", "''", StringComparison.Ordinal)}'\n");
        await PrivateFile.WriteNewAsync(
            Path.Combine(options.DataFolder, "postgresql.auto.conf"),
            string.Concat(lines),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            cancellation);
        var locales = options.OwnLocales.Count > 0 ? $"{options.LocaleFolder}:/usr/lib/locale" : null;
        var command = user.As(new Command
        {
            Program = Binaries["pg_ctl"],
            Arguments = ["-D", options.DataFolder, "-l", LogFile, "-w", "-t", ((int)options.Patience.TotalSeconds).ToString(CultureInfo.InvariantCulture), "start"],
            Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["LOCPATH"] = locales },
            WorkingDirectory = options.Folder,
        });
        return await commands.RunAsync(options.Isolation?.Wrap(command) ?? command, cancellation: cancellation);
    }

    private async Task<string> LoggedSinceAsync(long position, CancellationToken cancellation)
    {
        if (!File.Exists(LogFile))
        {
            return "";
        }

        await using var log = new FileStream(LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        log.Seek(Math.Min(position, log.Length), SeekOrigin.Begin);
        using var reader = new StreamReader(log);
        return string.Join('\n', (await reader.ReadToEndAsync(cancellation)).Trim().Split('\n').TakeLast(10));
    }
}
