using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>Finds Compose and its files, has them read, and finds the service.</summary>
/// <param name="commands">Runs Compose.</param>
/// <param name="options">Which files, project and service.</param>
/// <param name="urlVariables">The variables that hold the database's URL in the service.</param>
/// <param name="secrets">Learns what is secret in the service's environment.</param>
public sealed partial class ComposeReader(ICommandRunner commands, ComposeOptions options, IReadOnlyList<string> urlVariables, SecretMask secrets)
{
    private static readonly string[] OwnNames = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

    /// <summary>Finds the tool, reads the files.</summary>
    /// <exception cref="BadInputException">No Compose, no file, a broken one, or a variable that has to be set.</exception>
    /// <exception cref="RefusedException">No such service.</exception>
    public async Task<ComposeProject> ReadAsync(DatabaseEnvironment environment, CancellationToken cancellation)
    {
        var tool = await ComposeTool.FindAsync(commands, cancellation);
        var files = FindFiles();
        var (services, unset) = await ConfigAsync(tool, files, everyProfile: false, environment, cancellation);
        if (services.All(service => service.Name != options.Service))
        {
            // The plugin leaves out what a profile switches off, and runs it nevertheless where it is named.
            services = (await ConfigAsync(tool, files, everyProfile: true, environment, cancellation)).Services;
        }

        var service = services.FirstOrDefault(service => service.Name == options.Service) ?? throw new RefusedException(
            $"There is no service {options.Service} in {Named(files)}.",
            services.Count > 0 ? $"the services there are {string.Join(", ", services.Select(one => one.Name).Order(StringComparer.Ordinal))}" : "there are no services at all",
            "name the one that holds Alembic and the migrations with --compose-service");
        LearnSecrets(service);
        return new ComposeProject(tool, options.Root, files, options.Project, service, unset);
    }

    /// <summary>The environment of Compose itself: its own, the URL of this one environment under its name, and the engine that we ask as well.</summary>
    public static IReadOnlyDictionary<string, string?> Surroundings(DatabaseEnvironment environment)
    {
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal) { [environment.UrlVariable] = environment.Database.ToSecretUrl("postgresql") };
        if (EngineAddress.Read() is { Context: not null } address)
        {
            variables["DOCKER_HOST"] = address.Host;
        }

        return variables;
    }

    private IReadOnlyList<string> FindFiles()
    {
        if (options.Files.Count > 0)
        {
            return options.Files.FirstOrDefault(file => !File.Exists(file)) is { } missing
                ? throw new BadInputException($"There is no Compose file {missing}.", "", "name it with --compose-file")
                : options.Files;
        }

        if (OwnNames.Any(name => File.Exists(Path.Combine(options.Root, name))))
        {
            return [];
        }

        var fallback = Path.Combine(options.Root, ComposeOptions.FallbackFile.Replace('/', Path.DirectorySeparatorChar));
        return File.Exists(fallback)
            ? [fallback]
            : throw new BadInputException("There is no Compose file.", $"neither {string.Join(", ", OwnNames)} in {options.Root} nor {ComposeOptions.FallbackFile}", "name it with --compose-file");
    }

    private async Task<(IReadOnlyList<ComposeService> Services, IReadOnlyList<string> Unset)> ConfigAsync(ComposeTool tool, IReadOnlyList<string> files, bool everyProfile, DatabaseEnvironment environment, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.ReadPatience);
        CommandResult result;
        try
        {
            var command = new Command { Program = tool.Program, Arguments = ComposeProject.Config(tool, files, options.Project, everyProfile), WorkingDirectory = options.Root, Environment = Surroundings(environment) };
            result = await commands.RunAsync(command, cancellation: patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new BadInputException($"{tool} did not read {Named(files)} within {options.ReadPatience.TotalSeconds:0} s.", "it was ended", "call it by hand: docker compose config");
        }

        if (!result.Succeeded)
        {
            throw ComposeFailure.OfFiles(result.Error, Named(files));
        }

        try
        {
            return (ComposeConfig.Read(result.Output), [.. Blank().Matches(result.Error).Select(match => match.Groups["name"].Value).Distinct(StringComparer.Ordinal)]);
        }
        catch (FormatException unreadable)
        {
            throw new BadInputException($"What {tool} makes of {Named(files)} cannot be read.", unreadable.Message, "call it by hand: docker compose config", unreadable);
        }
    }

    private static string Named(IReadOnlyList<string> files) => files.Count > 0 ? string.Join(", ", files) : "the Compose files";

    /// <summary>Before anything of the service is logged: its passwords, and those within its URLs.</summary>
    private void LearnSecrets(ComposeService service)
    {
        foreach (var (name, value) in service.Environment.Where(variable => urlVariables.Contains(variable.Key, StringComparer.Ordinal) || SecretName().IsMatch(variable.Key)))
        {
            secrets.Add(value);
        }

        foreach (var value in service.Environment.Values)
        {
            if (UrlPassword().Match(value) is { Success: true } url)
            {
                secrets.Add(url.Groups["password"].Value);
                secrets.Add(Uri.UnescapeDataString(url.Groups["password"].Value));
            }
        }
    }

    [GeneratedRegex("The \"?(?<name>\\w+)\"? variable is not set", RegexOptions.ExplicitCapture)]
    private static partial Regex Blank();

    [GeneratedRegex("PASS|SECRET|TOKEN|CREDENTIAL|PRIVATE|(^|_)KEY$|API_?KEY|(^|_)PWD$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex SecretName();

    [GeneratedRegex("^[a-z][a-z0-9+.-]*://[^:/@]*:(?<password>.*)@", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex UrlPassword();
}
