using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>The engine that Compose talks to, asked directly for what Compose is poor at: ends, logs, names.</summary>
internal static class ComposeEngine
{
    /// <summary>Connects, here or elsewhere.</summary>
    /// <exception cref="BadInputException">It does not answer, or this user may not ask it: the message names the group.</exception>
    public static async Task<DockerEngine> ConnectAsync(ICommandRunner commands, CancellationToken cancellation)
    {
        var connection = await DockerEngine.ConnectAsync(EngineAddress.Read(), cancellation);
        return connection.Engine ?? throw await ExplainAsync(connection, commands, cancellation);
    }

    /// <summary>Why it does not answer, for people.</summary>
    internal static async Task<BadInputException> ExplainAsync(EngineConnection connection, ICommandRunner commands, CancellationToken cancellation)
    {
        var address = connection.Address;
        if (connection.Denied)
        {
            var group = await GroupAsync(address, commands, cancellation);
            return new BadInputException(
                $"This user may not ask the Docker engine at {address}.",
                $"its socket belongs to the group {group}, and {Environment.UserName} is not in it",
                $"sudo usermod -aG {group} {Environment.UserName}   then log in anew (who is in that group can become root here)");
        }

        var next = address.Uri is null
            ? $"forward its socket, and name that: ssh -nNT -L $HOME/docker.sock:/var/run/docker.sock HOST, then export DOCKER_HOST=unix://$HOME/docker.sock"
            : address.IsLocal ? "start it (sudo systemctl start docker), or set DOCKER_HOST to one that runs; then repeat the command" : "docker info   from this machine; or set DOCKER_HOST to one that answers";
        return new BadInputException($"No Docker engine answers at {address}.", connection.Why, next);
    }

    private static async Task<string> GroupAsync(EngineAddress address, ICommandRunner commands, CancellationToken cancellation)
    {
        const string Usual = "docker";
        if (!OperatingSystem.IsLinux() || address.Uri is null)
        {
            return Usual;
        }

        try
        {
            var result = await commands.RunAsync(new Command { Program = "stat", Arguments = ["-c", "%G", address.Uri.LocalPath] }, cancellation: cancellation);
            return result.Succeeded ? result.Output.Trim() : Usual;
        }
        catch (FailedCleanException)
        {
            // No stat: the usual name is the best guess.
            return Usual;
        }
    }
}
