namespace Aragora.Runbook.Migrations.Compose;

/// <summary>The Compose files as they were found and read, and the one service that migrates.</summary>
/// <param name="Tool">Compose itself.</param>
/// <param name="Root">Its working directory.</param>
/// <param name="Files">What it is given by <c>-f</c>; empty where it finds its file itself.</param>
/// <param name="Name">What it is given by <c>-p</c>; null where it chooses.</param>
/// <param name="Service">The service.</param>
/// <param name="Unset">Variables that the files want, that are not set, and that became empty.</param>
public sealed record ComposeProject(ComposeTool Tool, string Root, IReadOnlyList<string> Files, string? Name, ComposeService Service, IReadOnlyList<string> Unset)
{
    /// <summary>Starts a one-off container of the service, with what it depends on, and comes back.</summary>
    /// <remarks>
    /// Detached, and without <c>--rm</c>: what it says and how it ended is read from the engine, by its name, by whoever is there at its end; the plugin would have it removed before anybody
    /// could ask. <c>-l</c> and <c>-e NAME=value</c> are the spellings that every version knows: the first plugins dropped a variable that was given by its name alone. Nothing in it is a secret.
    /// </remarks>
    /// <param name="container">The container's name.</param>
    /// <param name="labels">Its labels.</param>
    /// <param name="variables">Variables that are added to the service's.</param>
    /// <param name="entrypoint">A program in place of the service's entry point; null keeps it.</param>
    /// <param name="command">The command.</param>
    public IReadOnlyList<string> Run(string container, IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> variables, string? entrypoint, IReadOnlyList<string> command) =>
    [
        .. Begin(Tool, Files, Name),
        "run", "-d", "-T", "--name", container,
        .. labels.OrderBy(label => label.Key, StringComparer.Ordinal).SelectMany(label => new[] { "-l", $"{label.Key}={label.Value}" }),
        .. variables.OrderBy(variable => variable.Key, StringComparer.Ordinal).SelectMany(variable => new[] { "-e", $"{variable.Key}={variable.Value}" }),
        .. entrypoint is null ? Array.Empty<string>() : ["--entrypoint", entrypoint],
        Service.Name,
        .. command,
    ];

    /// <summary>Prints the files as Compose understands them.</summary>
    internal static IReadOnlyList<string> Config(ComposeTool tool, IReadOnlyList<string> files, string? name, bool everyProfile) =>
        [.. Begin(tool, files, name), .. everyProfile ? new[] { "--profile", "*" } : [], "config"];

    private static IReadOnlyList<string> Begin(ComposeTool tool, IReadOnlyList<string> files, string? name) =>
        [.. tool.Prefix, .. files.SelectMany(file => new[] { "-f", file }), .. name is null ? Array.Empty<string>() : ["-p", name]];
}
