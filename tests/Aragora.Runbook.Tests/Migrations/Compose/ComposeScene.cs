using System.Globalization;
using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Compose;
using Aragora.Runbook.Migrations.Images;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Servers;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Compose;

/// <summary>A Compose project of its own on the real engine, with the Compose that is here: an image with a small migrations tree in it, and a service that reaches a database of the tests' server over the host's network.</summary>
public sealed class ComposeScene : IAsyncDisposable
{
    /// <summary>The application's image: Python and Alembic, no tree.</summary>
    public const string BaseImage = "aragora/api:latest";

    private readonly TemporaryFolder folder = new();
    private readonly RealServer server;
    private readonly bool hasImage;

    private ComposeScene(RealServer server, TestTree tree, DockerEngine engine, ComposeTool tool, DatabaseEnvironment environment, string id, bool hasImage)
    {
        (this.server, Tree, Engine, Tool, Environment, Id, this.hasImage) = (server, tree, engine, tool, environment, id, hasImage);
        Run = RealServer.NewRun(new LoggerConfiguration().MinimumLevel.Debug().WriteTo.Sink(Log).CreateLogger());
    }

    public string Id { get; }

    public TestTree Tree { get; }

    public DockerEngine Engine { get; }

    public ComposeTool Tool { get; }

    public DatabaseEnvironment Environment { get; set; }

    public RunContext Run { get; }

    public Lines Log { get; } = new();

    public string Image => $"aragora-test-{Id}:1";

    public string File => folder["compose.yaml"];

    public string Folder => folder.Path;

    public ComposeOptions Options => new() { Root = folder.Path, Files = [File], Project = Id, RollbackPatience = TimeSpan.FromSeconds(2), StopGrace = TimeSpan.FromSeconds(1) };

    /// <summary>The URL of the tests' database, as it is reached over the host's network.</summary>
    public string Url => Environment.Database.ToSecretUrl("postgresql");

    /// <summary>Prepares one; the tree goes into the image as it is then.</summary>
    public static async Task<ComposeScene> NewAsync(RealServer server, Action<TestTree> grow, bool build = true)
    {
        var engine = await DockerEngine.TryConnectAsync(CancellationToken.None);
        Assert.SkipWhen(engine is null, "no Docker engine answers");
        Assert.SkipUnless(await engine!.HasImageAsync(BaseImage, CancellationToken.None), $"the image {BaseImage} is not here, and tests fetch none");
        ComposeTool? tool = null;
        var missing = "";
        try
        {
            tool = await ComposeTool.FindAsync(server.Commands, CancellationToken.None);
        }
        catch (BadInputException absent)
        {
            missing = absent.Message;
        }

        Assert.SkipWhen(tool is null, missing);
        var tree = await TestTree.NewAsync(server);
        grow(tree);
        var scene = new ComposeScene(server, tree, engine, tool!, await server.NewDatabaseAsync(), $"aragora-t{Guid.NewGuid().ToString("N")[..10]}", build);
        if (build)
        {
            await scene.BuildImageAsync();
        }

        scene.Write(scene.Service());
        return scene;
    }

    /// <summary>The service that migrates; <paramref name="more"/> are further lines of it.</summary>
    public string Service(string? url = null, string command = "[\"alembic\", \"-c\", \"/srv/tree/alembic.ini\", \"upgrade\", \"head\"]", params string[] more) =>
        string.Create(CultureInfo.InvariantCulture, $"""
            services:
              aragora-api:
                image: {Image}
                network_mode: host
                command: {command}
                environment:
                  DATABASE_URL: "{(url ?? Url).Replace("$", "$$", StringComparison.Ordinal)}"
            {string.Join('\n', more.Select(line => "    " + line))}

            """);

    public void Write(string text) => System.IO.File.WriteAllText(File, text);

    public async Task BuildImageAsync()
    {
        System.IO.File.WriteAllText(Path.Combine(Tree.Folder, "Dockerfile"), $"FROM {BaseImage}\nCOPY . /srv/tree\n");
        await DockerAsync("build", "-q", "-t", Image, Tree.Folder);
        System.IO.File.Delete(Path.Combine(Tree.Folder, "Dockerfile"));
    }

    public ComposeReader Reader(ComposeOptions? options = null) => new(server.Commands, options ?? Options, Tree.Project.UrlVariables, Run.Secrets);

    public ComposeRunner Runner(ComposeOptions? options = null) =>
        new(Run, server.Commands, Reader(options), new ImageCheck(server.Commands, Tree.Python, Tree.Project), options ?? Options);

    public async Task<MigrationResult> MigrateAsync(string revision = "head", ComposeOptions? options = null, MigratorOptions? migrator = null, CancellationToken cancellation = default) =>
        await new Migrator(Run, server.Commands, Runner(options), migrator ?? new MigratorOptions()).MigrateAsync(Environment, await Tree.ReadAsync(), revision, gate: null, cancellation);

    public ICommandRunner Commands => server.Commands;

    /// <summary>Waits until a session of the tests' database is at work; what ends before is thrown.</summary>
    public async Task UntilAsync(string condition, Task migration)
    {
        await using var session = await PostgresSession.OpenAsync(Environment, "aragora-tests");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await session.ScalarAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND ({condition})", deadline.Token) == 0)
        {
            if (migration.IsCompleted)
            {
                await migration;
                throw new InvalidOperationException("It ended before it was seen at work.");
            }

            await Task.Delay(20, deadline.Token);
        }
    }

    public async Task<string> RevisionAsync() => string.Join(',', (await DatabaseInspector.ReadAsync(Environment, CancellationToken.None)).Revisions);

    /// <summary>Every container of this project or of this database, but for those of other services.</summary>
    public async Task<IReadOnlyList<ContainerSeen>> OneOffsAsync() =>
        [.. (await Engine.FindAllAsync([$"com.docker.compose.project={Id}"], CancellationToken.None)).Where(one => one.Labels.GetValueOrDefault("com.docker.compose.oneoff") == "True")];

    public async Task<CommandResult> DockerAsync(params string[] arguments)
    {
        var result = await server.Commands.RunAsync(new Command { Program = "docker", Arguments = arguments });
        result.Succeeded.ShouldBeTrue(result.Error);
        return result;
    }

    public Task<CommandResult> ComposeAsync(params string[] arguments) =>
        server.Commands.RunAsync(new Command { Program = Tool.Program, Arguments = [.. Tool.Prefix, "-f", File, "-p", Id, .. arguments] });

    public async ValueTask DisposeAsync()
    {
        foreach (var left in await Engine.FindAllAsync([$"com.docker.compose.project={Id}"], CancellationToken.None))
        {
            await Engine.RemoveAsync(left.Name, CancellationToken.None);
        }

        await server.Commands.RunAsync(new Command { Program = "sh", Arguments = ["-c", $"docker network ls -q --filter label=com.docker.compose.project={Id} | xargs -r docker network rm; docker volume ls -q --filter label=com.docker.compose.project={Id} | xargs -r docker volume rm"] });
        if (hasImage)
        {
            await server.Commands.RunAsync(new Command { Program = "docker", Arguments = ["rmi", "-f", Image] });
        }

        Engine.Dispose();
        folder.Dispose();
    }

    /// <summary>What was logged.</summary>
    public sealed class Lines : ILogEventSink
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> all = new();

        public IReadOnlyList<string> All => [.. all];

        public void Emit(LogEvent logEvent) => all.Enqueue(logEvent.RenderMessage(CultureInfo.InvariantCulture) + (logEvent.Exception is null ? "" : " " + logEvent.Exception));
    }
}
