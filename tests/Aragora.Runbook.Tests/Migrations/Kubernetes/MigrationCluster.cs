using System.Globalization;
using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Migrations.Images;
using Aragora.Runbook.Migrations.Kubernetes;
using Aragora.Runbook.Tests.Clusters;
using Aragora.Runbook.Tests.Migrations.Kubernetes;
using k8s.Models;
using Xunit;

[assembly: AssemblyFixture(typeof(ClusterDatabase))]
[assembly: AssemblyFixture(typeof(ImageBuilder))]

namespace Aragora.Runbook.Tests.Migrations.Kubernetes;

/// <summary>A PostgreSQL in a container of the machine's engine, reached by pods and by tests at the container's own address.</summary>
public sealed class ClusterDatabase : IAsyncLifetime
{
    private const string Password = "pw-of-the-cluster-database";
    private static readonly CommandRunner Commands = new(TimeProvider.System);
    private readonly SemaphoreSlim once = new(1);
    private readonly string name = $"aragora-test-{Guid.NewGuid():N}"[..21];
    private PostgresUrl? url;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (url is not null)
        {
            await Commands.RunAsync(new Command { Program = "docker", Arguments = ["rm", "--force", "--volumes", name] });
        }

        once.Dispose();
    }

    /// <summary>A new, empty database.</summary>
    public async Task<DatabaseEnvironment> NewAsync(TargetEnvironment environment = TargetEnvironment.Production)
    {
        await StartAsync();
        var database = $"t_{Guid.NewGuid():N}";
        await RealServer.SqlAsync(new DatabaseEnvironment { Name = environment, Database = url! }, $"CREATE DATABASE {database}");
        return new DatabaseEnvironment { Name = environment, Database = url! with { Database = database } };
    }

    private async Task StartAsync()
    {
        await once.WaitAsync();
        try
        {
            if (url is not null)
            {
                return;
            }

            var started = await Commands.RunAsync(new Command { Program = "docker", Arguments = ["run", "--detach", "--name", name, "--env", "POSTGRES_PASSWORD", "postgres:15", "-c", "fsync=off", "-c", "max_connections=200"], Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["POSTGRES_PASSWORD"] = Password } });
            Assert.SkipUnless(started.Succeeded, $"no container of postgres:15 can be started: {started.Tail(2)}");
            var address = (await Commands.RunAsync(new Command { Program = "docker", Arguments = ["inspect", "--format", "{{.NetworkSettings.IPAddress}}", name] })).Output.Trim();
            var candidate = new PostgresUrl { Host = address, Port = 5432, User = "postgres", Password = Password, Database = "postgres", Options = new Dictionary<string, string>(StringComparer.Ordinal) { ["sslmode"] = "disable" } };
            await TestCluster.UntilAsync("the database in its container answers", () => Aragora.Runbook.Servers.ServerProbe.AnswersAsync(candidate, CancellationToken.None));
            url = candidate;
        }
        finally
        {
            once.Release();
        }
    }
}

/// <summary>Images of aragora/api:latest with a migrations tree in them, built by the Docker CLI, removed at the end.</summary>
public sealed class ImageBuilder : IAsyncLifetime
{
    private static readonly CommandRunner Commands = new(TimeProvider.System);
    private readonly List<string> built = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        string[] images;
        lock (built)
        {
            images = [.. built];
        }

        if (images.Length > 0)
        {
            await Commands.RunAsync(new Command { Program = "docker", Arguments = ["rmi", "--force", .. images] });
        }
    }

    /// <summary>Builds one.</summary>
    /// <param name="folder">The tree; goes to <c>/srv/migrations</c>, the image's working directory.</param>
    public async Task<string> BuildAsync(string folder)
    {
        var image = $"aragora-test-{Guid.NewGuid():N}"[..25] + ":1";
        using var context = new Servers.TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(context.Path, "Dockerfile"), "FROM aragora/api:latest\nCOPY tree /srv/migrations\nWORKDIR /srv/migrations\n");
        CopyFolder(folder, Path.Combine(context.Path, "tree"));
        var result = await Commands.RunAsync(new Command { Program = "docker", Arguments = ["build", "--quiet", "--tag", image, context.Path] });
        Assert.SkipUnless(result.Succeeded, $"no image of aragora/api:latest can be built: {result.Tail(3)}");
        lock (built)
        {
            built.Add(image);
        }

        return image;
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.GetDirectories(from).Where(folder => !folder.EndsWith("__pycache__", StringComparison.Ordinal)))
        {
            CopyFolder(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }
}

/// <summary>What a test of a migration in the cluster is made of: a tree, an image of it, a database, a secret with its URL.</summary>
public sealed record ClusterScenario(TestCluster Cluster, TestTree Tree, DatabaseEnvironment Environment, string Image, string Secret)
{
    /// <summary>The job file of the repository.</summary>
    public static string JobFile { get; } = Path.Combine(Checkout(), "migrations", "jobs", "migration-job.yaml");

    public RunContext Run { get; init; } = RealServer.NewRun();

    public KubernetesRunnerOptions Options { get; init; } = new() { JobFile = JobFile, Image = Image, Secret = Secret, PollInterval = TimeSpan.FromMilliseconds(200), Grace = TimeSpan.FromSeconds(1), SchedulingPatience = TimeSpan.FromSeconds(3) };

    public JobTemplate Template => JobTemplate.Read(Options.JobFile);

    public KubernetesRunner Runner(RunContext? run = null, KubernetesCluster? cluster = null, KubernetesRunnerOptions? options = null) =>
        new(run ?? Run, () => cluster ?? Cluster.Cluster, () => JobTemplate.Read((options ?? Options).JobFile), options ?? Options, new ImageCheck(new CommandRunner(TimeProvider.System), Tree.Python, Tree.Project));

    public Migrator Migrator(RunContext? run = null, KubernetesRunner? runner = null, MigratorOptions? options = null) => new(run ?? Run, new CommandRunner(TimeProvider.System), runner ?? Runner(run), options ?? new MigratorOptions());

    public async Task<MigrationResult> MigrateAsync(CancellationToken cancellation = default) => await Migrator().MigrateAsync(Environment, await Tree.ReadAsync(), "head", gate: null, cancellation);

    /// <summary>The migrations' Jobs in the namespace.</summary>
    public async Task<IReadOnlyList<V1Job>> JobsAsync() => await new JobClient(Cluster.Cluster).ListAsync("aragora.build/purpose=migration", CancellationToken.None);

    /// <summary>Everything that is there.</summary>
    public static async Task<ClusterScenario> NewAsync(TestCluster cluster, RealServer server, ClusterDatabase database, ImageBuilder images, Action<TestTree> fill)
    {
        _ = cluster.Cluster;
        var tree = await TestTree.NewAsync(server);
        fill(tree);
        var environment = await database.NewAsync();
        var secret = string.Create(CultureInfo.InvariantCulture, $"database-{Guid.NewGuid():N}")[..20];
        await cluster.MakeSecretAsync(secret, new Dictionary<string, string>(StringComparer.Ordinal) { ["DATABASE_URL"] = environment.Database.ToSecretUrl() });
        return new ClusterScenario(cluster, tree, environment, await images.BuildAsync(tree.Folder), secret);
    }

    private static string Checkout()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Aragora.Build.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run in a checkout.");
        }

        return folder.FullName;
    }
}
