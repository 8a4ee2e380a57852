using System.ComponentModel;
using System.Text.Json;
using Aragora.Runbook.Applications;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Inputs;

/// <summary>Looks at every input before anything is touched: NUKE ignores unknown switches, only warns of values that do not parse, and takes any parameter from any environment variable.</summary>
/// <param name="parameters">All parameters, NUKE's own among them.</param>
/// <param name="targets">All targets.</param>
public sealed class InputGuard(IReadOnlyList<ParameterDefinition> parameters, IReadOnlyList<string> targets)
{
    /// <summary>Passes, or refuses with every problem there is.</summary>
    /// <param name="commandLine">The command line.</param>
    /// <param name="environment">The environment variables.</param>
    /// <param name="files">The text of <c>.nuke/parameters.json</c> and of the chosen profiles, by path.</param>
    /// <exception cref="BadInputException">Something is wrong.</exception>
    public void Check(CommandLine commandLine, IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string> files)
    {
        var problems = OfTargets(commandLine.Targets)
            .Concat(OfSwitches(commandLine))
            .Concat(OfEnvironment(commandLine, environment))
            .Concat(files.SelectMany(file => OfFile(file.Key, file.Value)))
            .ToList();
        if (problems.Count > 0)
        {
            throw new BadInputException(
                problems.Count == 1 ? problems[0].What : $"{problems.Count} inputs are wrong:{string.Concat(problems.Select(problem => Environment.NewLine + "  - " + problem.What))}",
                "nothing was touched",
                string.Join("; ", problems.Select(problem => problem.Next).Distinct(StringComparer.Ordinal)));
        }
    }

    private IEnumerable<Problem> OfTargets(IReadOnlyList<string> names) =>
        from name in names
        where !targets.Any(target => string.Equals(target, name.Replace("-", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase))
        let near = Spelling.Nearest(name, targets)
        select new Problem($"There is no target \"{Shown(name)}\".{(near is null ? "" : $" Did you mean {near}?")}", near is null ? "./build.sh --help" : $"./build.sh {near}");

    private IEnumerable<Problem> OfSwitches(CommandLine commandLine)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var given in commandLine.Switches)
        {
            if (given.Text.Contains('=', StringComparison.Ordinal))
            {
                var parts = given.Text.Split('=', 2);
                var isKnown = parameters.FirstOrDefault(parameter => parameter.IsNamed(parts[0]));
                yield return new Problem($"{parts[0]}=… is not how a value is given here.", isKnown is { Secret: false } ? $"write {isKnown.Switch} {Shown(parts[1])}" : "write --switch value, with a space");
                continue;
            }

            var definition = parameters.FirstOrDefault(parameter => parameter.IsNamed(given.Text));
            if (definition is null)
            {
                var near = Spelling.Nearest(given.Text.TrimStart('-'), parameters.Select(parameter => parameter.Switch[2..]));
                yield return new Problem($"There is no switch {given.Text}.{(near is null ? "" : $" Did you mean --{near}?")}", "./build.sh --help   lists the switches");
                continue;
            }

            if (!seen.Add(definition.Name))
            {
                yield return new Problem($"{definition.Switch} is given more than once.", "give it once");
            }

            if (definition.Name is "Skip" or "Target")
            {
                foreach (var problem in OfTargets(given.Values))
                {
                    yield return problem;
                }
            }

            foreach (var problem in OfValues(definition, definition.Switch, given.Values))
            {
                yield return problem;
            }
        }
    }

    private IEnumerable<Problem> OfEnvironment(CommandLine commandLine, IReadOnlyDictionary<string, string> environment)
    {
        foreach (var definition in parameters)
        {
            var sources = environment.Where(variable => definition.IsNamed(variable.Key) || definition.IsNamed(WithoutPrefix(variable.Key))).ToList();
            if (sources.Count == 0 || commandLine.Has(definition.Name) || (definition.Name == "Target" && commandLine.Targets.Count > 0))
            {
                continue;
            }

            var names = string.Join(" and ", sources.Select(source => source.Key).Order(StringComparer.Ordinal));
            if (definition.CommandLineOnly)
            {
                yield return new Problem(
                    $"The environment variable {names} would be taken for {definition.Switch}, which counts only from the command line.",
                    $"unset {names.Replace(" and ", " ", StringComparison.Ordinal)}   (or say {definition.Switch} yourself)");
            }
            else if (sources.Select(source => source.Value).Distinct(StringComparer.Ordinal).Count() > 1)
            {
                yield return new Problem($"{names} are both set, and differ.", $"unset one of {names}");
            }
            else
            {
                var text = sources[0].Value;
                foreach (var problem in OfValues(definition, sources[0].Key, definition.Type.IsArray ? [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries)] : text.Length > 0 ? [text] : []))
                {
                    yield return problem;
                }
            }
        }
    }

    private IEnumerable<Problem> OfFile(string path, string text)
    {
        var (members, problem) = Members(path, text);
        if (problem is not null)
        {
            yield return problem;
        }

        foreach (var (name, value) in members)
        {
            var definition = parameters.FirstOrDefault(parameter => parameter.Name == name);
            if (name == "$schema")
            {
                continue;
            }

            if (definition is null)
            {
                var near = Spelling.Nearest(name, parameters.Select(parameter => parameter.Name));
                yield return new Problem($"{path} names \"{name}\", which is no parameter.{(near is null ? "" : $" Did you mean \"{near}\"?")}", $"correct {path}");
            }
            else if (definition.CommandLineOnly)
            {
                yield return new Problem($"{path} sets \"{name}\", which counts only from the command line.", $"remove it from {path}, and say {definition.Switch} yourself");
            }
            else if (!definition.Secret)
            {
                var values = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(Text).ToList() : [Text(value)];
                foreach (var found in OfValues(definition, $"\"{name}\" in {path}", values))
                {
                    yield return found;
                }
            }
        }
    }

    private static (IReadOnlyList<(string Name, JsonElement Value)> Members, Problem? Problem) Members(string path, string text)
    {
        try
        {
            var root = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }).RootElement;
            return root.ValueKind == JsonValueKind.Object ? ([.. root.EnumerateObject().Select(member => (member.Name, member.Value))], null) : ([], new Problem($"{path} is not a JSON object.", $"correct {path}"));
        }
        catch (JsonException malformed)
        {
            return ([], new Problem($"{path} is not JSON: {malformed.Message}", $"correct {path}"));
        }
    }

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static IEnumerable<Problem> OfValues(ParameterDefinition definition, string source, IReadOnlyList<string> values)
    {
        if (values.Count == 0)
        {
            if (!definition.IsFlag && (!definition.Type.IsArray || definition.Separator is not null))
            {
                yield return new Problem($"{source} has no value.", $"{definition.Switch} <{Kind(definition)}>");
            }

            yield break;
        }

        if (values.Count > 1 && !definition.Type.IsArray)
        {
            yield return new Problem($"{source} takes one value, and {values.Count} are given.", $"{definition.Switch} <{Kind(definition)}>   (quote a value with spaces; targets come before switches)");
            yield break;
        }

        if (definition.Separator is { } separator)
        {
            // NUKE splits one word, or takes several; of a mixture it makes nothing.
            if (values.Count > 1 && values.Any(value => value.Contains(separator, StringComparison.Ordinal)))
            {
                yield return new Problem($"{source} is a list with spaces in it.", $"{definition.Switch} {string.Join(separator, values.SelectMany(value => value.Split(separator, StringSplitOptions.RemoveEmptyEntries)).Select(Shown))}");
                yield break;
            }

            values = [.. values.SelectMany(value => value.Split(separator))];
        }

        foreach (var value in values)
        {
            if (Complaint(definition.ValueType, value) is { } complaint)
            {
                yield return new Problem($"{source}{(definition.Secret ? "" : $" \"{Shown(value)}\"")} is not {Kind(definition)}{(definition.Secret || complaint.Length == 0 ? "" : $": {complaint}")}.", $"{definition.Switch} <{Kind(definition)}>");
            }
        }
    }

    /// <summary>Why it does not parse, empty where its kind says enough; null where it does.</summary>
    private static string? Complaint(Type type, string value)
    {
        if (type == typeof(string))
        {
            return value.Trim().Length > 0 ? null : "";
        }

        if (type.IsEnum)
        {
            return Enum.GetNames(type).Contains(value, StringComparer.OrdinalIgnoreCase) ? null : "";
        }

        try
        {
            var parses = type == typeof(Uri) ? Uri.TryCreate(value, UriKind.Absolute, out _) : TypeDescriptor.GetConverter(type).ConvertFromInvariantString(value) is not null;
            return parses ? null : "";
        }
        catch (Exception notParsed) when (notParsed is FormatException or ArgumentException or NotSupportedException or InvalidOperationException || notParsed.InnerException is not null)
        {
            return type == typeof(MaintenanceWindow) || type == typeof(ApplicationName) ? notParsed.Message : "";
        }
    }

    /// <summary>A URL with a password may stand in the wrong place.</summary>
    private static string Shown(string word) => word.Contains("://", StringComparison.Ordinal) && word.Contains('@', StringComparison.Ordinal) ? "***" : word;

    private static string Kind(ParameterDefinition definition) => definition.ValueType switch
    {
        { IsEnum: true } type => string.Join('|', Enum.GetNames(type)),
        var type when type == typeof(int) => "whole number",
        var type when type == typeof(bool) => "true|false",
        var type when type == typeof(Duration) => "500ms|5s|10min|24h",
        var type when type == typeof(Uri) => "https://host/path",
        var type when type == typeof(ApplicationName) => ApplicationName.Forms,
        var type when type == typeof(MaintenanceWindow) => "a maintenance window such as \"Sun 02:00-04:00 Europe/Berlin\"",
        var type when type.Name == "AbsolutePath" => "path",
        _ => "text",
    };

    private static string WithoutPrefix(string name) => name.StartsWith("NUKE", StringComparison.OrdinalIgnoreCase) ? name[4..] : name;

    private sealed record Problem(string What, string Next);
}
