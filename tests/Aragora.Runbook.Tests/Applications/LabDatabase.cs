using System.Security.Cryptography;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Applications;
using Xunit;

[assembly: AssemblyFixture(typeof(LabDatabase))]

namespace Aragora.Runbook.Tests.Applications;

/// <summary>A PostgreSQL that pods and containers reach: in a container, started with the first test that wants it.</summary>
public sealed class LabDatabase : IAsyncLifetime
{
    private const string Image = "postgres:15";
    private readonly CommandRunner commands = new(TimeProvider.System);
    private readonly SemaphoreSlim only = new(1);
    private readonly string name = $"aragora-app-tests-{Guid.NewGuid().ToString("N")[..8]}";
    private PostgresUrl? server;

    /// <summary>The Docker network that it joins: pods and containers have to reach it there, and so have the tests.</summary>
    private static string Network => Environment.GetEnvironmentVariable("ARAGORA_TEST_NETWORK") ?? "bridge";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await commands.RunAsync(new Command { Program = "docker", Arguments = ["rm", "--force", "--volumes", name] });
        }

        only.Dispose();
    }

    /// <summary>An empty database there.</summary>
    public async Task<DatabaseEnvironment> NewDatabaseAsync()
    {
        await only.WaitAsync();
        try
        {
            server ??= await StartAsync();
        }
        finally
        {
            only.Release();
        }

        var database = $"t_{Guid.NewGuid():N}";
        await RealServer.SqlAsync(new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = server }, $"CREATE DATABASE {database}");
        return new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = server with { Database = database } };
    }

    /// <summary>As psycopg2 takes it.</summary>
    public static string Dsn(DatabaseEnvironment environment)
    {
        var url = environment.Database;
        return $"postgresql://{url.User}:{url.Password}@{url.Host}:{url.Port}/{url.Database}";
    }

    private async Task<PostgresUrl> StartAsync()
    {
        var images = await TryAsync("image", "inspect", Image);
        Assert.SkipWhen(images is not { ExitCode: 0 }, $"no Docker engine with the image {Image} on this machine");
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
        var started = await TryAsync(new Dictionary<string, string?>(StringComparer.Ordinal) { ["POSTGRES_PASSWORD"] = password }, "run", "--detach", "--name", name, "--network", Network, "--env", "POSTGRES_PASSWORD", Image, "-c", "fsync=off", "-c", "max_connections=200");
        Assert.True(started is { ExitCode: 0 }, started?.Error);
        var address = (await TryAsync("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name))!.Output.Trim();
        var url = new PostgresUrl { Host = address, Port = 5432, User = "postgres", Password = password, Database = "postgres", Options = new Dictionary<string, string>(StringComparer.Ordinal) { ["sslmode"] = "disable" } };
        var environment = new DatabaseEnvironment { Name = TargetEnvironment.Production, Database = url };
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            try
            {
                await using var session = await PostgresSession.OpenAsync(environment, "aragora-tests");
                return url;
            }
            catch (BadInputException)
            {
                // Still starting; the image starts it twice, the first time without a network.
                await Task.Delay(200, patience.Token);
            }
        }
    }

    private Task<CommandResult?> TryAsync(params string[] arguments) => TryAsync(new Dictionary<string, string?>(StringComparer.Ordinal), arguments);

    private async Task<CommandResult?> TryAsync(IReadOnlyDictionary<string, string?> variables, params string[] arguments)
    {
        try
        {
            return await commands.RunAsync(new Command { Program = "docker", Arguments = arguments, Environment = variables });
        }
        catch (FailedCleanException)
        {
            return null; // There is no docker.
        }
    }
}
