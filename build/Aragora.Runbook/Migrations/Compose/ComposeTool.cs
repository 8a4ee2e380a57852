using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>Compose as it is installed here: the plugin <c>docker compose</c>, or the program <c>docker-compose</c>.</summary>
/// <param name="Program">The program.</param>
/// <param name="Prefix">What comes before Compose's own arguments: <c>compose</c> for the plugin.</param>
/// <param name="Version">Its version.</param>
public sealed partial record ComposeTool(string Program, IReadOnlyList<string> Prefix, Version Version)
{
    /// <summary>The oldest that knows <c>depends_on</c> with a condition in a file without <c>version</c>.</summary>
    private static readonly Version Oldest = new(1, 27);

    /// <summary>For people: <c>docker compose 2.29.7</c>.</summary>
    public override string ToString() => $"{string.Join(' ', Prefix.Prepend(Program))} {Version}";

    /// <summary>Finds it: the plugin first, as it is the one that is maintained.</summary>
    /// <exception cref="BadInputException">Neither is here, or what is here is too old; the message says what to install.</exception>
    public static async Task<ComposeTool> FindAsync(ICommandRunner commands, CancellationToken cancellation)
    {
        var said = new List<string>();
        foreach (var (program, prefix) in new (string, string[])[] { ("docker", ["compose"]), ("docker-compose", []) })
        {
            var called = string.Join(' ', prefix.Prepend(program));
            try
            {
                var result = await commands.RunAsync(new Command { Program = program, Arguments = [.. prefix, "version", "--short"] }, cancellation: cancellation);
                if (result.Succeeded && VersionNumber().Match(result.Output) is { Success: true } match)
                {
                    var tool = new ComposeTool(program, prefix, Version.Parse(match.Groups["version"].Value));
                    return tool.Version >= Oldest ? tool : throw TooOld(tool);
                }

                said.Add($"{called}: {result.Tail(1)}");
            }
            catch (FailedCleanException absent)
            {
                said.Add($"{called}: {absent.Why}");
            }
        }

        throw new BadInputException(
            "Docker Compose is not on this machine.",
            string.Join("; ", said),
            "install the plugin (sudo apt-get install docker-compose-plugin, or docker-compose-v2 from Ubuntu's own packages), or sudo apt-get install docker-compose; or leave the runner DockerCompose out");
    }

    private static BadInputException TooOld(ComposeTool tool) => new($"{tool} is too old.", $"{Oldest} is the oldest that works", "sudo apt-get install docker-compose-plugin, or upgrade it; then repeat the command");

    [GeneratedRegex(@"^\s*v?(?<version>\d+\.\d+(\.\d+)?)", RegexOptions.ExplicitCapture)]
    private static partial Regex VersionNumber();
}
