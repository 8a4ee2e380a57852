using System.Text.Json;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.LocalStack;

/// <summary>What a local stack is made of.</summary>
public sealed record LocalStackOptions
{
    /// <summary>The migrations that the databases are for; a stack belongs to one tree.</summary>
    public required string AlembicConfig { get; init; }

    /// <summary>Where it lies. Default: <see cref="StackFolder.Choose"/> of the checkout.</summary>
    public string? Folder { get; init; }

    /// <summary>Major version of the server. Default: the newest that is found.</summary>
    public int? Major { get; init; }
}

/// <summary>The two environments of a local stack.</summary>
/// <param name="Staging">Staging.</param>
/// <param name="Production">Production; both on one server, so they differ by name and OID only.</param>
/// <param name="Folder">Where it lies.</param>
/// <param name="IsRunning">Whether server and application both answer now.</param>
public sealed record LocalEnvironments(DatabaseEnvironment Staging, DatabaseEnvironment Production, string Folder, bool IsRunning);

/// <summary>The embedded default: a throwaway PostgreSQL with a staging and a production database, and an application whose <c>/health</c> asks them.</summary>
public sealed class EmbeddedStack
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly RunContext run;
    private readonly LocalStackOptions options;
    private readonly ServerProvider servers;
    private readonly ICommandRunner commands;
    private readonly ILocalSeeder seeder;
    private readonly ThrowawayServerOptions serverOptions;
    private readonly LocalApiProcess api;

    /// <summary>Nothing is touched yet.</summary>
    public EmbeddedStack(RunContext run, LocalStackOptions options, ServerProvider servers, ICommandRunner commands, ILocalSeeder seeder)
    {
        (this.run, this.options, this.servers, this.commands, this.seeder) = (run, options, servers, commands, seeder);
        Folder = options.Folder is { } folder ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) : StackFolder.Choose(run.Root, Surroundings.Current()).Folder;
        serverOptions = new ThrowawayServerOptions
        {
            Folder = Path.Combine(Folder, "server"),
            FallbackLocale = "C",
            Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["log_line_prefix"] = "%m [%p] %q%u@%d/%a ", ["timezone"] = "UTC", ["log_timezone"] = "UTC" },
        };
        api = new LocalApiProcess(run, Folder);
    }

    /// <summary>Where it lies.</summary>
    public string Folder { get; }

    private string StateFile => Path.Combine(Folder, "stack.json");

    private string LockFile => Folder + ".lock";

    /// <summary>Makes whatever is missing, mends whatever is broken, and leaves what is there as it is. Several processes may ask at once.</summary>
    /// <exception cref="RefusedException">The stack was made for other migrations.</exception>
    public async Task<LocalEnvironments> UpAsync(CancellationToken cancellation)
    {
        using var only = await ExclusiveLock.AcquireAsync(LockFile, $"the local stack in {Folder}", Patience, cancellation);
        if (await TryFindRunningAsync(cancellation) is { } running)
        {
            return running;
        }

        return await run.Journal.ActAsync("bring up the local stack", new { Folder }, async () =>
        {
            var started = run.Clock.GetTimestamp();
            run.Log.Information("Bringing up the local stack in {Folder}: a throwaway PostgreSQL server on 127.0.0.1", Folder);
            await StackFolder.PrepareAsync(Folder, commands, cancellation);
            var state = await EnsureStateAsync(cancellation);
            var server = await servers.StartAsync(serverOptions, options.Major, cancellation);
            run.Log.Information("{Server} listens at {Endpoint}", server.Description, server.Url.Endpoint);
            if (server is ThrowawayServer local && local.Locale != serverOptions.Locale)
            {
                run.Log.Warning("This machine lacks the locale {Wanted}: the local databases have {Locale}", serverOptions.Locale, local.Locale);
            }

            await new LocalDatabases(run, server.Url, seeder).EnsureAsync(state.RolePassword, cancellation);
            await api.EnsureAsync([Environment(server, state, TargetEnvironment.Staging, null), Environment(server, state, TargetEnvironment.Production, null)], cancellation);
            run.Log.Information("The local stack is up after {Seconds:0.0} s; ./build.sh LocalDown erases it", run.Clock.GetElapsedTime(started).TotalSeconds);
            return await DescribeAsync(server, state, isRunning: true, cancellation);
        });
    }

    /// <summary>The stack as an earlier run left it; null where there is none. Starts nothing.</summary>
    public async Task<LocalEnvironments?> FindAsync(CancellationToken cancellation)
    {
        if (await ReadStateAsync(cancellation) is not { } state || await servers.FindAsync(serverOptions, cancellation) is not { } server)
        {
            return null;
        }

        run.Secrets.Add(state.RolePassword);
        var isRunning = await server.IsRunningAsync(cancellation) && await api.IsRunningAsync(cancellation);
        return await DescribeAsync(server, state, isRunning, cancellation);
    }

    /// <summary>Stops everything and erases it, also after a crash and what an interrupted start left. Nothing to do where there is none.</summary>
    /// <returns>Whether there was anything.</returns>
    public async Task<bool> DownAsync(CancellationToken cancellation)
    {
        if (!Directory.Exists(Folder))
        {
            run.Log.Information("There is no local stack in {Folder}", Folder);
            return false;
        }

        var only = await ExclusiveLock.AcquireAsync(LockFile, $"the local stack in {Folder}", Patience, cancellation);
        try
        {
            await StackFolder.PrepareAsync(Folder, commands, cancellation);
            await run.Journal.ActAsync("erase the local stack", new { Folder }, async () =>
            {
                await api.StopAsync(cancellation);
                await servers.EraseAsync(serverOptions, cancellation);
                Directory.Delete(Folder, recursive: true);
                return true;
            });
            run.Log.Information("The local stack in {Folder} is stopped and erased", Folder);
            return true;
        }
        finally
        {
            only.DisposeAndDelete();
        }
    }

    private static DatabaseEnvironment Environment(IThrowawayServer server, State state, TargetEnvironment name, Uri? health) =>
        LocalDatabases.Environment(server.Url, state.RolePassword, name, health);

    private async Task<LocalEnvironments> DescribeAsync(IThrowawayServer server, State state, bool isRunning, CancellationToken cancellation) => new(
        Environment(server, state, TargetEnvironment.Staging, await api.HealthAsync(TargetEnvironment.Staging, cancellation)),
        Environment(server, state, TargetEnvironment.Production, await api.HealthAsync(TargetEnvironment.Production, cancellation)),
        Folder,
        isRunning);

    /// <summary>The stack, if nothing at all has to be done: both databases answer to the role, and the application runs.</summary>
    private async Task<LocalEnvironments?> TryFindRunningAsync(CancellationToken cancellation)
    {
        if (await FindAsync(cancellation) is not { IsRunning: true } found)
        {
            return null;
        }

        RefuseOtherTree((await ReadStateAsync(cancellation))!);
        return await ServerProbe.AnswersAsync(found.Staging.Database, cancellation) && await ServerProbe.AnswersAsync(found.Production.Database, cancellation) ? found : null;
    }

    private async Task<State> EnsureStateAsync(CancellationToken cancellation)
    {
        var state = await ReadStateAsync(cancellation);
        if (state is null)
        {
            state = new State(ServerState.NewPassword(), run.Root, Path.GetFullPath(options.AlembicConfig));
            await PrivateFile.WriteAsync(StateFile, JsonSerializer.Serialize(state, RunbookJson.Document), cancellation);
        }

        RefuseOtherTree(state);
        run.Secrets.Add(state.RolePassword);
        return state;
    }

    private void RefuseOtherTree(State state)
    {
        if (state.AlembicConfig != Path.GetFullPath(options.AlembicConfig))
        {
            throw new RefusedException(
                $"The local stack in {Folder} was made for the migrations of {state.AlembicConfig}.",
                $"its databases stand at revisions that {Path.GetFullPath(options.AlembicConfig)} does not know",
                "./build.sh LocalDown   erases it; then repeat the command");
        }
    }

    private async Task<State?> ReadStateAsync(CancellationToken cancellation)
    {
        try
        {
            return JsonSerializer.Deserialize<State>(await File.ReadAllTextAsync(StateFile, cancellation), RunbookJson.Line);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    private sealed record State(string RolePassword, string Checkout, string AlembicConfig);
}
