using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Servers;

/// <summary>Servers for one step of one run, such as the restore of a backup: several at once, erased at the end, and after a crash by the next run.</summary>
/// <param name="run">The run.</param>
/// <param name="servers">Where servers come from.</param>
/// <param name="parent">The folder of all scratch servers, which their user can enter: <c>scratch</c> beside the local stacks.</param>
public sealed class ScratchServers(RunContext run, ServerProvider servers, string parent)
{
    /// <summary>The longest path of a socket, in bytes: that of macOS; Linux has four more.</summary>
    private const int LongestSocket = 103;

    /// <summary>The folder of all scratch servers.</summary>
    public string Parent => parent;

    /// <summary>Whether a server of this purpose can listen on a socket in its folder: a socket's path is short.</summary>
    public bool FitsSocket(string purpose) => !OperatingSystem.IsWindows() && System.Text.Encoding.UTF8.GetByteCount(Path.GetFullPath(FolderOf(purpose))) + "/.s.PGSQL.5432".Length <= LongestSocket;

    /// <summary>Whether a server of this major version will run on this machine itself, and not in a container.</summary>
    public Task<bool> RunHereAsync(int? major, CancellationToken cancellation) => servers.HasProgramsAsync(major, cancellation);

    /// <summary>Starts a server of its own.</summary>
    /// <param name="purpose">For the log and the folder's name: a word.</param>
    /// <param name="shape">Settings, locale, encoding; its folder is replaced.</param>
    /// <param name="major">The major version it must have; null for the newest there is.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task<ScratchServer> StartAsync(string purpose, ThrowawayServerOptions shape, int? major, CancellationToken cancellation)
    {
        await ReapAsync(cancellation);
        var options = shape with { Folder = FolderOf(purpose) };
        var owner = await ExclusiveLock.AcquireAsync(OwnerFile(options.Folder), options.Folder, options.Patience, cancellation);
        var started = run.Clock.GetTimestamp();
        try
        {
            var server = await servers.StartAsync(options, major, cancellation);
            run.Log.Information("Scratch server for {Purpose}: {Server} at {Endpoint}, started in {Seconds:0.0} s", purpose, server.Description, server.Url.Endpoint, run.Clock.GetElapsedTime(started).TotalSeconds);
            return new ScratchServer(server, owner);
        }
        catch
        {
            try
            {
                await servers.EraseAsync(options, CancellationToken.None);
                owner.DisposeAndDelete();
            }
            catch (Exception left)
            {
                // Whatever it is: why the server did not start must not be hidden behind it.
                run.Log.Warning(left, "What was started in {Folder} could not be erased; the next run tries again", options.Folder);
                owner.Dispose();
            }

            throw;
        }
    }

    /// <summary>Erases the servers of runs that are gone: each run holds a lock for each of its own, and the system releases it when the run dies.</summary>
    public async Task ReapAsync(CancellationToken cancellation)
    {
        if (!Directory.Exists(parent))
        {
            return;
        }

        foreach (var file in Directory.EnumerateFiles(parent, "*.owner"))
        {
            if (ExclusiveLock.TryAcquire(file) is { } orphan)
            {
                var folder = file[..^".owner".Length];
                run.Log.Information("Erasing the scratch server in {Folder}, which a run that is gone left behind", folder);
                try
                {
                    await servers.EraseAsync(new ThrowawayServerOptions { Folder = folder }, cancellation);
                    orphan.DisposeAndDelete();
                }
                catch (Exception held) when (held is RunbookException or IOException or UnauthorizedAccessException)
                {
                    run.Log.Warning(held, "The scratch server in {Folder} could not be erased; the next run tries again", folder);
                }
                finally
                {
                    orphan.Dispose();
                }
            }
        }
    }

    private string FolderOf(string purpose) => Path.Combine(parent, $"{purpose}-{Guid.NewGuid().ToString("N")[..12]}");

    private static string OwnerFile(string folder) => folder + ".owner";
}

/// <summary>A server that is erased when it is disposed of.</summary>
public sealed class ScratchServer : IAsyncDisposable
{
    private readonly ExclusiveLock owner;

    internal ScratchServer(IThrowawayServer server, ExclusiveLock owner) => (Server, this.owner) = (server, owner);

    /// <summary>The server.</summary>
    public IThrowawayServer Server { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Server.EraseAsync(CancellationToken.None);
        owner.DisposeAndDelete();
    }
}
