using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Applications.Compose;

/// <summary>Compose as it is installed here: the plugin <c>docker compose</c>, else the program <c>docker-compose</c>.</summary>
/// <param name="Program">The program.</param>
/// <param name="Prefix">What comes before Compose's own arguments.</param>
internal sealed record ComposeProgram(string Program, IReadOnlyList<string> Prefix)
{
    /// <summary>Finds it.</summary>
    /// <exception cref="BadInputException">Neither is here.</exception>
    public static async Task<ComposeProgram> FindAsync(ICommandRunner commands, CancellationToken cancellation)
    {
        var said = new List<string>();
        foreach (var candidate in new ComposeProgram[] { new("docker", ["compose"]), new("docker-compose", []) })
        {
            try
            {
                var answer = await commands.RunAsync(new Command { Program = candidate.Program, Arguments = [.. candidate.Prefix, "version", "--short"] }, cancellation: cancellation);
                if (answer.Succeeded)
                {
                    return candidate;
                }

                said.Add(answer.Tail(1));
            }
            catch (FailedCleanException absent)
            {
                said.Add(absent.Why);
            }
        }

        throw new BadInputException("Docker Compose is not on this machine.", string.Join("; ", said), "install the plugin docker-compose-plugin, or docker-compose");
    }
}
