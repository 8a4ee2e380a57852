namespace Aragora.Runbook.Migrations.Compose;

/// <summary>A service, as Compose understands its files.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Image">Its image; null where it is built and not named.</param>
/// <param name="IsBuilt">Whether Compose can build its image.</param>
/// <param name="Command">Its command's words; null where the image's counts.</param>
/// <param name="Entrypoint">Its entry point's words; null where the image's counts.</param>
/// <param name="Environment">Its variables, with their values: secrets among them.</param>
/// <param name="DependsOn">The services that are started before it.</param>
public sealed record ComposeService(
    string Name,
    string? Image,
    bool IsBuilt,
    IReadOnlyList<string>? Command,
    IReadOnlyList<string>? Entrypoint,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<string> DependsOn)
{
    /// <summary>For messages: "service aragora-api (aragora/api:latest)".</summary>
    public string Noun => Image is null ? $"service {Name}" : $"service {Name} ({Image})";

    /// <summary>The same at the beginning of a sentence.</summary>
    public string Described => "The " + Noun;
}
