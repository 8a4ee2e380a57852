using System.Text.RegularExpressions;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>Turns what Compose complains of, in the words of either generation, into what a person reads.</summary>
/// <remarks>Compose quotes whole values of a file, passwords and all: only what is known to be harmless is repeated.</remarks>
internal static partial class ComposeFailure
{
    private const int ToldLines = 6;

    /// <summary>The files could not be read.</summary>
    public static BadInputException OfFiles(string error, string files)
    {
        if (Required().Match(error) is { Success: true } named)
        {
            return Unset(files, named.Groups["name"].Value, named.Groups["said"].Value.Trim());
        }

        if (Mandatory().Match(error) is { Success: true } dumped)
        {
            var said = dumped.Groups["said"].Value.Trim();
            var name = Asked().Matches(dumped.Groups["values"].Value).FirstOrDefault(asked => asked.Groups["said"].Value.Trim() == said)?.Groups["name"].Value;
            return Unset(files, name ?? "", said);
        }

        if (Interpolation().Match(error) is { Success: true } where)
        {
            return new BadInputException($"{files} has a \"$\" that Compose takes for a variable.", where.Groups["where"].Value.Trim(), "write \"$$\" for the character itself (the value is not repeated here: it may be a secret)");
        }

        return new BadInputException($"Compose cannot read {files}.", Told(error), "docker compose config   says where; correct the file");
    }

    /// <summary>A container could not be started. What the engine says of it was looked at before.</summary>
    /// <param name="error">Compose's complaint, masked.</param>
    /// <param name="service">The service.</param>
    /// <param name="dependency">What is known of a dependency that did not come up; null where there is none.</param>
    public static RunbookException OfStart(string error, ComposeService service, string? dependency)
    {
        if (dependency is not null)
        {
            return new RefusedException($"What the service {service.Name} depends on does not come up.", dependency, $"docker compose up {string.Join(' ', service.DependsOn)}   shows it; repair it, then repeat the command; nothing was moved");
        }

        if (Build().IsMatch(error))
        {
            return new RefusedException($"The image of the service {service.Name} could not be built.", Told(error), $"docker compose build {service.Name}; nothing was moved");
        }

        if (Pull().IsMatch(error))
        {
            return new RefusedException(
                $"The image {service.Image ?? "of the service " + service.Name} is not here, and cannot be pulled.",
                Told(error),
                $"docker pull {service.Image}   (log in first where the registry wants it), or build it; nothing was moved");
        }

        if (Port().IsMatch(error))
        {
            return new RefusedException($"What the service {service.Name} depends on could not be started: a port is taken.", Told(error), "stop what has the port, or publish another; nothing was moved");
        }

        return new RefusedException($"Compose could not start the service {service.Name}.", Told(error), $"docker compose run --rm {service.Name} alembic current   tries it by hand; nothing was moved");
    }

    /// <summary>The container of a dependency that Compose gave up on: its name or id; null where it complains of something else.</summary>
    public static string? Dependency(string error) => Unhealthy().Match(error) is { Success: true } match ? match.Groups["name"].Value : null;

    /// <summary>The last lines that tell something.</summary>
    private static string Told(string error)
    {
        var lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(line => !Chatter().IsMatch(line)).TakeLast(ToldLines);
        return WithoutPasswords().Replace(string.Join(" / ", lines), "://***@") is { Length: > 0 } text ? text : "it said nothing";
    }

    private static BadInputException Unset(string files, string name, string said) => new(
        $"{(name.Length > 0 ? $"The variable {name}, which {files} wants, is not set." : $"A variable that {files} wants is not set.")}",
        said.Length > 0 ? said : "Compose does not go on without it",
        $"export {(name.Length > 0 ? name : "NAME")}=…, or write it into the .env file beside the Compose file; then repeat the command");

    [GeneratedRegex(@"required variable (?<name>\w+) is missing a value(: (?<said>[^\r\n]*))?", RegexOptions.ExplicitCapture)]
    private static partial Regex Required();

    [GeneratedRegex("""Missing mandatory value for "[^"]*" option interpolating (?<values>.*) in service "[^"]*": (?<said>[^\r\n]*)""", RegexOptions.ExplicitCapture | RegexOptions.Singleline)]
    private static partial Regex Mandatory();

    [GeneratedRegex(@"\$\{(?<name>\w+):?\?(?<said>[^}]*)\}", RegexOptions.ExplicitCapture)]
    private static partial Regex Asked();

    [GeneratedRegex("""[Ii]nvalid interpolation format for (?<where>("[^"]*" option in service "[^"]*")|[\w.\-\[\]]+)""", RegexOptions.ExplicitCapture)]
    private static partial Regex Interpolation();

    [GeneratedRegex(@"[Cc]ontainer ""?(?<name>[\w.\-]+)""? (is unhealthy|exited \(\d+\)|has no healthcheck configured)|(?<name>[\w.\-]+) (exited \(\d+\)$)", RegexOptions.ExplicitCapture | RegexOptions.Multiline)]
    private static partial Regex Unhealthy();

    [GeneratedRegex("failed to build|failed to solve|Cannot locate specified Dockerfile|unable to prepare context|returned a non-zero code", RegexOptions.IgnoreCase)]
    private static partial Regex Build();

    [GeneratedRegex("pull access denied|manifest .*(unknown|not found)|not found: manifest|failed to resolve|dial tcp|no such host|TLS handshake|unauthorized|toomanyrequests|No such image|Get \"?https?://", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Pull();

    [GeneratedRegex("port is already allocated|address already in use|ports are not available", RegexOptions.IgnoreCase)]
    private static partial Regex Port();

    [GeneratedRegex(@"^(Creating|Starting|Recreating|Pulling|Found orphan|.*variable is not set|time="".*level=warning|Encountered errors while bringing up)|^\s*(Container|Network|Volume) \S+\s+(Creating|Created|Starting|Started|Waiting|Healthy|Running)", RegexOptions.ExplicitCapture)]
    private static partial Regex Chatter();

    [GeneratedRegex(@"://[^/\s:@]*:[^\s]*@")]
    private static partial Regex WithoutPasswords();
}
