using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Servers;

/// <summary>What a throwaway server is made of.</summary>
public sealed record ThrowawayServerOptions
{
    /// <summary>Everything the server writes lies below this folder; it must be enterable by the unprivileged user.</summary>
    public required string Folder { get; init; }

    /// <summary>The server's settings beside our own, such as <c>shared_buffers</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Locale of the new cluster. Default: <c>C.UTF-8</c>.</summary>
    public string Locale { get; init; } = "C.UTF-8";

    /// <summary>Encoding of the new cluster. Default: UTF8.</summary>
    public string Encoding { get; init; } = "UTF8";

    /// <summary>How long it may take to start or stop. Default: 60 seconds.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>A PostgreSQL server that this build makes, owns, and may erase: loopback only, scram, a random password, no durability.</summary>
/// <remarks>It outlives the process that started it; <see cref="FindAsync"/> finds it again by its folder.</remarks>
public sealed class ThrowawayServer
{
    private const string Superuser = "aragora_admin";
    private readonly ServerBinaries binaries;
    private readonly UnprivilegedUser user;
    private readonly ThrowawayServerOptions options;
    private readonly ICommandRunner commands;
    private readonly State state;

    private ThrowawayServer(ServerBinaries binaries, UnprivilegedUser user, ThrowawayServerOptions options, ICommandRunner commands, State state)
    {
        (this.binaries, this.user, this.options, this.commands, this.state) = (binaries, user, options, commands, state);
        Url = new PostgresUrl { Host = "127.0.0.1", Port = state.Port, User = Superuser, Password = state.Password, Database = "postgres", Options = new Dictionary<string, string>(StringComparer.Ordinal) { ["sslmode"] = "disable" } };
    }

    /// <summary>The superuser's connection to the database <c>postgres</c>.</summary>
    public PostgresUrl Url { get; }

    /// <summary>The programs it runs on.</summary>
    public ServerBinaries Binaries => binaries;

    /// <summary>The server's own log.</summary>
    public string LogFile => Path.Combine(options.Folder, "server.log");

    private string DataFolder => DataFolderOf(options);

    /// <summary>Makes a server in an empty folder, or starts the one that is there.</summary>
    /// <exception cref="FailedCleanException">It does not start; the message holds the end of its log.</exception>
    public static async Task<ThrowawayServer> StartAsync(ServerBinaries binaries, ThrowawayServerOptions options, ICommandRunner commands, SecretMask secrets, CancellationToken cancellation)
    {
        var user = UnprivilegedUser.Current();
        var known = await ReadStateAsync(options, cancellation);
        if (known is null && Directory.Exists(DataFolderOf(options)))
        {
            throw new FailedCleanException($"{options.Folder} holds a server that was never finished.", "an earlier start was interrupted before it wrote its state", "./build.sh LocalDown");
        }

        var state = known ?? new State(0, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        secrets.Add(state.Password);
        if (known is null)
        {
            await InitializeAsync(binaries, user, options, state, commands, cancellation);
        }
        else if (await new ThrowawayServer(binaries, user, options, commands, known).IsRunningAsync(cancellation))
        {
            return new ThrowawayServer(binaries, user, options, commands, known);
        }

        const int Attempts = 5;
        for (var attempt = 1; ; attempt++)
        {
            var port = attempt == 1 && state.Port > 0 && IsFree(state.Port) ? state.Port : FreePort();
            var server = new ThrowawayServer(binaries, user, options, commands, state with { Port = port });
            var result = await server.LaunchAsync(cancellation);
            if (result.Succeeded)
            {
                await WriteStateAsync(options, server.state, cancellation);
                return server;
            }

            var log = File.Exists(server.LogFile) ? string.Join('\n', (await File.ReadAllLinesAsync(server.LogFile, cancellation)).TakeLast(8)) : result.Tail();
            if (attempt == Attempts || !log.Contains("Address already in use", StringComparison.Ordinal))
            {
                throw new FailedCleanException($"The throwaway PostgreSQL server in {options.Folder} does not start.", log, "./build.sh LocalDown   erases it; then repeat the command");
            }
        }
    }

    /// <summary>The server that an earlier process made in this folder, running or not; null where there is none.</summary>
    public static async Task<ThrowawayServer?> FindAsync(ServerBinaries binaries, ThrowawayServerOptions options, ICommandRunner commands, SecretMask secrets, CancellationToken cancellation)
    {
        if (await ReadStateAsync(options, cancellation) is not { } state)
        {
            return null;
        }

        secrets.Add(state.Password);
        return new ThrowawayServer(binaries, UnprivilegedUser.Current(), options, commands, state);
    }

    /// <summary>Whether the server process of this data folder is alive (a stale pid file does not count).</summary>
    public async Task<bool> IsRunningAsync(CancellationToken cancellation) =>
        (await PgCtlAsync(["status"], cancellation)).Succeeded;

    /// <summary>Stops the server, if it runs.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        if (await IsRunningAsync(cancellation))
        {
            var result = await PgCtlAsync(["-m", "immediate", "-w", "-t", Seconds(options.Patience), "stop"], cancellation);
            if (!result.Succeeded)
            {
                throw new FailedCleanException($"The throwaway PostgreSQL server in {options.Folder} does not stop.", result.Tail(), "");
            }
        }
    }

    /// <summary>Stops the server and erases its folder.</summary>
    public async Task EraseAsync(CancellationToken cancellation)
    {
        await StopAsync(cancellation);
        Directory.Delete(options.Folder, recursive: true);
    }

    private static string DataFolderOf(ThrowawayServerOptions options) => Path.Combine(options.Folder, "data");

    private static string StateFileOf(ThrowawayServerOptions options) => Path.Combine(options.Folder, "server.json");

    private static async Task InitializeAsync(ServerBinaries binaries, UnprivilegedUser user, ThrowawayServerOptions options, State state, ICommandRunner commands, CancellationToken cancellation)
    {
        Directory.CreateDirectory(options.Folder);
        var passwordFile = Path.Combine(options.Folder, "initial-password");
        await WritePrivateFileAsync(passwordFile, state.Password, cancellation);
        if (!OperatingSystem.IsWindows())
        {
            await user.CreatePrivateFolderAsync(options.Folder, commands, cancellation);
        }

        var initialize = new Command
        {
            Program = binaries["initdb"],
            Arguments =
            [
                "--pgdata", DataFolderOf(options), "--username", Superuser, "--auth", "scram-sha-256", "--pwfile", passwordFile,
                "--encoding", options.Encoding, "--locale", options.Locale, "--no-sync", "--no-instructions",
            ],
            WorkingDirectory = options.Folder,
        };

        CommandResult result;
        try
        {
            result = await commands.RunAsync(user.As(initialize), cancellation: cancellation);
        }
        catch
        {
            Directory.Delete(options.Folder, recursive: true);
            throw;
        }

        if (!result.Succeeded)
        {
            Directory.Delete(options.Folder, recursive: true);
            throw new FailedCleanException("initdb could not make a throwaway PostgreSQL server.", result.Tail(), "");
        }

        File.Delete(passwordFile);
        await WriteStateAsync(options, state, cancellation);
    }

    private async Task<CommandResult> LaunchAsync(CancellationToken cancellation)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = state.Port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = "",
            ["fsync"] = "off",
            ["full_page_writes"] = "off",
            ["synchronous_commit"] = "off",
            ["logging_collector"] = "off",
            ["max_wal_senders"] = "0",
            ["wal_level"] = "minimal",
            ["max_prepared_transactions"] = "10",
        };
        foreach (var (name, value) in options.Settings)
        {
            settings[name] = value;
        }

        var configuration = Path.Combine(DataFolder, "postgresql.auto.conf");
        await File.WriteAllLinesAsync(configuration, settings.Select(setting => $"{setting.Key} = '{setting.Value.Replace("'", "''", StringComparison.Ordinal)}'"), cancellation);
        return await PgCtlAsync(["-l", LogFile, "-w", "-t", Seconds(options.Patience), "start"], cancellation);
    }

    private Task<CommandResult> PgCtlAsync(IReadOnlyList<string> arguments, CancellationToken cancellation) =>
        commands.RunAsync(user.As(new Command { Program = binaries["pg_ctl"], Arguments = ["-D", DataFolder, .. arguments], WorkingDirectory = options.Folder }), cancellation: cancellation);

    private static async Task<State?> ReadStateAsync(ThrowawayServerOptions options, CancellationToken cancellation)
    {
        var file = StateFileOf(options);
        return File.Exists(file) ? JsonSerializer.Deserialize<State>(await File.ReadAllTextAsync(file, cancellation)) : null;
    }

    private static async Task WriteStateAsync(ThrowawayServerOptions options, State state, CancellationToken cancellation)
    {
        var partial = StateFileOf(options) + ".partial";
        await WritePrivateFileAsync(partial, JsonSerializer.Serialize(state), cancellation);
        File.Move(partial, StateFileOf(options), overwrite: true);
    }

    private static async Task WritePrivateFileAsync(string path, string text, CancellationToken cancellation)
    {
        File.Delete(path);
        var create = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var writer = new StreamWriter(path, create);
        await writer.WriteAsync(text.AsMemory(), cancellation);
    }

    private static string Seconds(TimeSpan time) => ((int)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private sealed record State(int Port, string Password);
}
