using System.Security.Cryptography;
using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Servers;

/// <summary>A throwaway PostgreSQL in a container, published on 127.0.0.1 alone, for machines without the server's programs.</summary>
/// <remarks>
/// Its password is in the container's environment, as the image wants it: whoever may inspect containers may become root on that machine, and the data is a throwaway's.
/// Its folder holds only <c>server.json</c>; a container whose folder is gone, or names another, is removed by the next run. Where several file systems share one engine, as CI
/// jobs in containers do, a folder that is not seen says nothing: there another's container is removed when it is a day old.
/// </remarks>
public sealed class ContainerServer : IThrowawayServer
{
    /// <summary>The label of every container of ours; its value is the folder that it belongs to.</summary>
    public const string FolderLabel = "org.aragora.build.folder";

    /// <summary>The label that tells who can see that folder.</summary>
    internal const string SurroundingsLabel = "org.aragora.build.surroundings";

    private const int ServerPort = 5432;
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(1);
    private readonly DockerEngine engine;
    private readonly ThrowawayServerOptions options;
    private readonly ServerState state;

    private ContainerServer(DockerEngine engine, ThrowawayServerOptions options, ServerState state)
    {
        (this.engine, this.options, this.state) = (engine, options, state);
        Url = new PostgresUrl
        {
            Host = "127.0.0.1",
            Port = state.Port,
            User = Cluster.Superuser,
            Password = state.Password,
            Database = "postgres",
            Options = new Dictionary<string, string>(StringComparer.Ordinal) { ["sslmode"] = "disable" },
        };
    }

    /// <inheritdoc/>
    public PostgresUrl Url { get; }

    /// <inheritdoc/>
    public string Description => $"a container of {ImageOf(state.Major)}";

    /// <summary>The image of a major version: the official one of that name.</summary>
    public static string ImageOf(int major) => $"postgres:{major}";

    /// <summary>Makes a container, starts the one of this folder, or finds it running. The image must be here.</summary>
    /// <exception cref="FailedCleanException">It does not start, or does not answer; the message holds the end of its log.</exception>
    public static async Task<ContainerServer> StartAsync(DockerEngine engine, int major, ThrowawayServerOptions options, SecretMask secrets, CancellationToken cancellation)
    {
        using var only = await ExclusiveLock.AcquireAsync(options.LockFile, options.Folder, 3 * options.Patience, cancellation);
        var state = await ServerState.ReadAsync(options.Folder, cancellation);
        if (state?.Container is null || state.Major != major || await engine.FindAsync(state.Container, ServerPort, cancellation) is null)
        {
            state = await MakeAsync(engine, major, options, secrets, cancellation);
        }
        else if (!(await engine.FindAsync(state.Container, ServerPort, cancellation))!.IsRunning)
        {
            await engine.StartAsync(state.Container, cancellation);
        }

        secrets.Add(state.Password);
        var facts = await engine.FindAsync(state.Container!, ServerPort, cancellation);
        var server = new ContainerServer(engine, options, state with { Port = facts?.PublishedPort ?? 0 });
        if (facts is { IsRunning: true, PublishedPort: > 0 } && await ServerProbe.WaitAsync(server.Url, options.Patience, () => server.IsUpAsync(cancellation), cancellation))
        {
            return server;
        }

        throw await server.NotUpAsync(cancellation);
    }

    /// <summary>The server of this folder, running or not; null where there is none.</summary>
    public static async Task<ContainerServer?> FindAsync(DockerEngine engine, ThrowawayServerOptions options, SecretMask secrets, CancellationToken cancellation)
    {
        if (await ServerState.ReadAsync(options.Folder, cancellation) is not { Container: { } name } state)
        {
            return null;
        }

        secrets.Add(state.Password);
        var facts = await engine.FindAsync(name, ServerPort, cancellation);
        return new ContainerServer(engine, options, state with { Port = facts?.PublishedPort ?? 0 });
    }

    /// <summary>Removes the containers of ours whose folder is gone or names another: what crashed runs left behind.</summary>
    /// <returns>Their names.</returns>
    public static async Task<IReadOnlyList<string>> ReapAsync(DockerEngine engine, CancellationToken cancellation)
    {
        var reaped = new List<string>();
        foreach (var container in await engine.FindAllAsync([FolderLabel], cancellation))
        {
            var isOurs = container.Labels.GetValueOrDefault(SurroundingsLabel) == Surroundings();
            if ((isOurs || TimeProvider.System.GetUtcNow() - container.Created > Abandoned) && (await ServerState.ReadAsync(container.Labels[FolderLabel], cancellation))?.Container != container.Name)
            {
                await engine.RemoveAsync(container.Name, cancellation);
                reaped.Add(container.Name);
            }
        }

        return reaped;
    }

    /// <inheritdoc/>
    public Task<string> LogTailAsync(int lines, CancellationToken cancellation) => engine.LogTailAsync(state.Container!, lines, cancellation);

    /// <inheritdoc/>
    public async Task<bool> IsRunningAsync(CancellationToken cancellation) => await IsUpAsync(cancellation) && await ServerProbe.AnswersAsync(Url, cancellation);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellation) => engine.StopAsync(state.Container!, TimeSpan.FromSeconds(2), cancellation);

    /// <inheritdoc/>
    public async Task EraseAsync(CancellationToken cancellation)
    {
        var only = await ExclusiveLock.AcquireAsync(options.LockFile, options.Folder, 3 * options.Patience, cancellation);
        try
        {
            await engine.RemoveAsync(state.Container!, cancellation);
            if (Directory.Exists(options.Folder))
            {
                Directory.Delete(options.Folder, recursive: true);
            }
        }
        finally
        {
            only.DisposeAndDelete();
        }
    }

    /// <summary>The container's arguments: settings only, so that the image's entry point keeps its duties.</summary>
    internal static IReadOnlyList<string> Arguments(ThrowawayServerOptions options) =>
        [.. options.AllSettings("*", "5432").Where(setting => setting.Key is not "unix_socket_directories").OrderBy(setting => setting.Key, StringComparer.Ordinal).SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })];

    private static async Task<ServerState> MakeAsync(DockerEngine engine, int major, ThrowawayServerOptions options, SecretMask secrets, CancellationToken cancellation)
    {
        if (await ServerState.ReadAsync(options.Folder, cancellation) is { Container: { } former })
        {
            await engine.RemoveAsync(former, cancellation);
        }

        var state = new ServerState
        {
            Major = major,
            Password = ServerState.NewPassword(),
            Locale = options.Locale,
            Container = $"aragora-throwaway-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(5))}",
        };
        secrets.Add(state.Password);
        Directory.CreateDirectory(options.Folder);
        await state.WriteAsync(options.Folder, cancellation); // first, so that no other run takes the container for an orphan
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["POSTGRES_USER"] = Cluster.Superuser,
            ["POSTGRES_PASSWORD"] = state.Password,
            ["POSTGRES_DB"] = "postgres",
            ["POSTGRES_INITDB_ARGS"] = $"--encoding={options.Encoding} --locale={options.Locale} --auth-local=scram-sha-256",
        };
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [FolderLabel] = options.Folder, [SurroundingsLabel] = Surroundings() };
        await engine.RunAsync(new ContainerRequest(state.Container!, ImageOf(major), Arguments(options), environment, labels, ServerPort), cancellation);
        return state;
    }

    /// <summary>The file system that we see: its machine, and on Linux its mount namespace, for containers may share a name.</summary>
    private static string Surroundings()
    {
        var mounts = OperatingSystem.IsLinux() ? new FileInfo("/proc/self/ns/mnt").LinkTarget : null;
        return $"{Environment.MachineName} {mounts}".Trim();
    }

    /// <summary>Why it does not answer: how it ended, if it has, and the end of its log.</summary>
    private async Task<FailedCleanException> NotUpAsync(CancellationToken cancellation)
    {
        var end = await engine.StateAsync(state.Container!, cancellation) switch
        {
            null => "is gone: somebody removed its container",
            { IsRunning: true } => $"runs, and did not answer within {options.Patience.TotalSeconds:0} s",
            { OutOfMemory: true } ended => $"ran out of memory and was killed (exit code {ended.ExitCode})",
            { Error.Length: > 0 } failed => $"could not be started: {failed.Error}",
            { } ended => $"ended with exit code {ended.ExitCode}",
        };
        return new FailedCleanException(
            $"The throwaway PostgreSQL server in the container {state.Container} ({ImageOf(state.Major)}) {end}.",
            await LogTailAsync(10, cancellation) is { Length: > 0 } log ? log : "it wrote no log",
            "correct what its log complains of, and repeat the command; ./build.sh LocalDown   erases that of a local stack");
    }

    private async Task<bool> IsUpAsync(CancellationToken cancellation) => await engine.FindAsync(state.Container!, ServerPort, cancellation) is { IsRunning: true };
}
