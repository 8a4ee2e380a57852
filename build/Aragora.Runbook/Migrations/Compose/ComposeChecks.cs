using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Preflight;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>What Preflight asks where migrations run in Compose: read-only, and nothing is fetched or started.</summary>
/// <param name="commands">Runs Compose and Docker.</param>
/// <param name="reader">Reads the Compose files.</param>
public sealed class ComposeChecks(ICommandRunner commands, ComposeReader reader)
{
    /// <summary>How long a registry may take to say whether it has an image.</summary>
    private static readonly TimeSpan RegistryPatience = TimeSpan.FromSeconds(20);

    /// <summary>The checks of one environment.</summary>
    public IReadOnlyList<EnvironmentCheck> Of(TargetEnvironment name, Func<CancellationToken, Task<DatabaseEnvironment>> environment) =>
    [
        new(name, "compose-engine", "Docker engine", EngineAsync) { OnlyForMigration = true },
        new(name, "compose-service", "Compose service", async cancellation => await ServiceAsync(await environment(cancellation), cancellation)) { OnlyForMigration = true },
        new(name, "compose-image", "Its image", async cancellation => await ImageAsync(await environment(cancellation), cancellation)) { OnlyForMigration = true },
    ];

    private async Task<Finding> EngineAsync(CancellationToken cancellation)
    {
        using var engine = await ComposeEngine.ConnectAsync(commands, cancellation);
        return new Finding.Ok($"{engine.Version} at {engine.Address}");
    }

    private async Task<Finding> ServiceAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var project = await reader.ReadAsync(environment, cancellation);
        return project.Unset.Count == 0
            ? new Finding.Ok($"{project.Service.Name}, read by {project.Tool}")
            : new Finding.Warning($"{project.Service.Name}, read by {project.Tool}; not set, and so empty there: {string.Join(", ", project.Unset)}", $"export {project.Unset[0]}=…, where the service needs it");
    }

    private async Task<Finding> ImageAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var service = (await reader.ReadAsync(environment, cancellation)).Service;
        using var engine = await ComposeEngine.ConnectAsync(commands, cancellation);
        if (service.Image is { } named && await engine.HasImageAsync(named, cancellation))
        {
            return new Finding.Ok($"{named} is here");
        }

        if (service.IsBuilt)
        {
            return new Finding.Ok(service.Image is null ? "is built by Compose where it is not here yet" : $"{service.Image} is not here, and is built by Compose");
        }

        return service.Image is { } image ? await RemoteAsync(image, engine, cancellation) : new Finding.Refusal($"the service {service.Name} has neither an image nor a build", "give it one in the Compose file");
    }

    /// <summary>Asks the registry, and fetches nothing: that takes long, and belongs to the migration.</summary>
    private async Task<Finding> RemoteAsync(string image, DockerEngine engine, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(RegistryPatience);
        try
        {
            var variables = engine.Address.Context is null ? [] : new Dictionary<string, string?>(StringComparer.Ordinal) { ["DOCKER_HOST"] = engine.Address.Host };
            var result = await commands.RunAsync(new Command { Program = "docker", Arguments = ["manifest", "inspect", image], Environment = variables }, cancellation: patience.Token);
            return result.Succeeded
                ? new Finding.Ok($"{image} is not here yet, and its registry has it")
                : new Finding.Refusal($"{image} is not here, and its registry does not give it: {result.Tail(1)}", $"docker pull {image}   (log in first where the registry wants it), or build it");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new Finding.Refusal($"{image} is not here, and its registry did not answer within {RegistryPatience.TotalSeconds:0} s", $"docker pull {image}");
        }
        catch (FailedCleanException unasked)
        {
            return new Finding.Warning($"{image} is not here, and whether its registry has it could not be asked: {unasked.Why}", $"docker pull {image}   beforehand, where it can");
        }
    }
}
