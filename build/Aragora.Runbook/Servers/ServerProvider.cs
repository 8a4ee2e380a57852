using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Servers;

/// <summary>Throwaway servers from whatever this machine has: its own programs, else Debian's packages when root, else a container.</summary>
public sealed class ServerProvider(RunContext run, ICommandRunner commands, ServerBinaryProvider binaries)
{
    /// <summary>The major version of a container where none was asked for.</summary>
    private const int DefaultMajor = 17;

    /// <summary>Tests take the engine away.</summary>
    internal Func<CancellationToken, Task<DockerEngine?>> ConnectAsync { get; init; } = DockerEngine.TryConnectAsync;

    /// <summary>Whether a server of this major version will be of this machine's own programs, and not a container; they are installed where that is allowed.</summary>
    public async Task<bool> HasProgramsAsync(int? major, CancellationToken cancellation) => await binaries.FindOrInstallAsync(major, cancellation) is not null;

    /// <summary>Makes a server in this folder, starts the one that is there, or finds it running.</summary>
    /// <param name="options">Its folder and settings.</param>
    /// <param name="major">The major version it must have; null: that of the data in the folder if its programs are still here, else the newest.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="BadInputException">This machine has neither the programs nor a container engine; the message says what to install.</exception>
    public async Task<IThrowawayServer> StartAsync(ThrowawayServerOptions options, int? major, CancellationToken cancellation)
    {
        var known = await ServerState.ReadAsync(options.Folder, cancellation);
        if (known?.Container is null && await ForDataAsync(known, major, cancellation) is { } found)
        {
            return await ThrowawayServer.StartAsync(found, options, commands, run.Secrets, cancellation);
        }

        var engine = await ConnectAsync(cancellation) ?? throw Missing(major);
        foreach (var reaped in await ContainerServer.ReapAsync(engine, cancellation))
        {
            run.Log.Information("Removed the container {Container}, which an earlier run left behind", reaped);
        }

        var wanted = major ?? known?.Major ?? DefaultMajor;
        await EnsureImageAsync(engine, wanted, cancellation);
        return await ContainerServer.StartAsync(engine, wanted, options, run.Secrets, cancellation);
    }

    /// <summary>The server of this folder, running or not; null where there is none.</summary>
    /// <exception cref="BadInputException">It is a container, and no engine answers.</exception>
    public async Task<IThrowawayServer?> FindAsync(ThrowawayServerOptions options, CancellationToken cancellation)
    {
        switch (await ServerState.ReadAsync(options.Folder, cancellation))
        {
            case null:
                return null;
            case { Container: { } name }:
                var engine = await ConnectAsync(cancellation) ?? throw new BadInputException($"The throwaway server of {options.Folder} is the container {name}, and no Docker engine answers.", "it was stopped, or this user may not ask it", "start Docker, then repeat the command");
                return await ContainerServer.FindAsync(engine, options, run.Secrets, cancellation);
            case var known:
                // Finding, stopping and erasing need no programs; a machine that lost them can still clean up.
                var found = (await ServerBinaries.FindAllAsync(commands, cancellation)).FirstOrDefault(one => one.Major == known.Major) ?? new ServerBinaries("", known.Major, $"{known.Major}");
                return await ThrowawayServer.FindAsync(found, options, commands, run.Secrets, cancellation);
        }
    }

    /// <summary>Stops and erases whatever is in this folder, also what an interrupted start left. Nothing to do where there is none.</summary>
    public async Task EraseAsync(ThrowawayServerOptions options, CancellationToken cancellation)
    {
        if (await FindAsync(options, cancellation) is { } server)
        {
            await server.EraseAsync(cancellation);
            return;
        }

        await new Cluster(new ServerBinaries("", 0, ""), UnprivilegedUser.Current(), options, commands).ClearAsync(cancellation);
        File.Delete(options.LockFile);
    }

    private async Task<ServerBinaries?> ForDataAsync(ServerState? known, int? major, CancellationToken cancellation)
    {
        if (major is not null || known is null)
        {
            return await binaries.FindOrInstallAsync(major, cancellation);
        }

        if ((await ServerBinaries.FindAllAsync(commands, cancellation)).FirstOrDefault(one => one.Major == known.Major) is { } same)
        {
            return same;
        }

        run.Log.Warning("The throwaway server's data is of PostgreSQL {Major}, whose programs are gone: it is made anew", known.Major);
        return await binaries.FindOrInstallAsync(major: null, cancellation);
    }

    private BadInputException Missing(int? major)
    {
        var obstacle = binaries.ObstacleTo(major);
        return new BadInputException(
            $"There is no PostgreSQL{(major is null ? "" : $" {major}")} server to work with on this machine.",
            $"its programs are neither on the PATH nor in the usual folders, {(obstacle is null ? "this build installs them only as root with apt-get" : $"they were not installed ({obstacle.Why})")}, and no Docker engine answers",
            obstacle is null ? ServerBinaryProvider.HowToInstall(major) : $"{obstacle.Next}; or start Docker; then repeat the command");
    }

    private async Task EnsureImageAsync(DockerEngine engine, int major, CancellationToken cancellation)
    {
        if (await engine.HasImageAsync(ContainerServer.ImageOf(major), cancellation))
        {
            return;
        }

        run.Log.Information("Fetching the image {Image} for a throwaway server", ContainerServer.ImageOf(major));
        await run.Journal.ActAsync($"pull {ContainerServer.ImageOf(major)}", details: null, async () =>
        {
            await engine.PullAsync("postgres", $"{major}", line => run.Log.Debug("docker: {Line}", line), cancellation);
            return true;
        });
    }
}
