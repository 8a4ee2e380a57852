using System.Text.Json;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Tooling;

/// <summary>Finds interpreters, and asks each whether it has a program and a PostgreSQL driver that really import.</summary>
internal sealed class PythonCandidates(ICommandRunner commands, PythonToolsOptions options)
{
    private const string Probe = """
        import importlib, json, sys
        module = importlib.import_module(sys.argv[1])
        modern = False
        if sys.argv[1] == "alembic":
            import sqlalchemy
            modern = int(sqlalchemy.__version__.split(".")[0]) >= 2
        drivers = []
        for name in ("psycopg2", "psycopg", "asyncpg"):
            if name == "psycopg" and sys.argv[1] == "alembic" and not modern:
                continue
            try:
                importlib.import_module(name)
                drivers.append(name)
                break
            except ImportError:
                pass
        print(json.dumps({"version": module.__version__, "driver": drivers[0] if drivers else None}))
        """;

    /// <summary>The interpreters to try, best first: that of the program's script on the PATH, then the Pythons of the PATH, then the system's.</summary>
    public IEnumerable<string> Interpreters(string program)
    {
        var names = OperatingSystem.IsWindows() ? new[] { "python.exe", "python3.exe" } : ["python3", "python"];
        var found = options.SearchPath.SelectMany(folder => FromScript(Path.Combine(folder, program)))
            .Concat(options.SearchPath.SelectMany(folder => names.Select(name => Path.Combine(folder, name))))
            .Concat(options.SystemInterpreters);
        return found.Where(File.Exists).Distinct(StringComparer.Ordinal);
    }

    /// <summary>The tool, if this interpreter has it and a driver.</summary>
    public async Task<PythonTool?> TryAsync(string interpreter, string module, string origin, CancellationToken cancellation)
    {
        CommandResult result;
        try
        {
            result = await commands.RunAsync(new Command { Program = interpreter, Arguments = ["-", module], StandardInput = Probe, Environment = PythonEnvironment.Variables, WorkingDirectory = Path.GetTempPath() }, cancellation: cancellation);
        }
        catch (FailedCleanException)
        {
            return null; // Not a program that starts: no candidate.
        }

        if (!result.Succeeded)
        {
            return null;
        }

        var answer = JsonSerializer.Deserialize<Answer>(result.Output, JsonSerializerOptions.Web);
        return answer is { Driver: { } driver } ? new PythonTool(interpreter, module, answer.Version, driver, origin) : null;
    }

    /// <summary>The interpreter in a script's first line; also pip's form for paths with spaces (<c>#!/bin/sh</c>, then <c>'''exec' "/the path/python" "$0" "$@"</c>).</summary>
    internal static IEnumerable<string> FromScript(string script)
    {
        if (!File.Exists(script))
        {
            yield break;
        }

        var lines = FirstLines(script);
        if (lines is ["#!/bin/sh", var trampoline, ..] && trampoline.StartsWith("'''exec' ", StringComparison.Ordinal))
        {
            var word = trampoline["'''exec' ".Length..];
            yield return word.StartsWith('"') ? word[1..].Split('"')[0] : word.Split(' ')[0];
        }
        else if (lines is [var first, ..] && first.StartsWith("#!", StringComparison.Ordinal) && first.Contains("python", StringComparison.Ordinal) && !first.Contains("env ", StringComparison.Ordinal))
        {
            yield return first[2..].Trim().Split(' ')[0];
        }
    }

    private static List<string> FirstLines(string script)
    {
        using var reader = new StreamReader(script);
        var buffer = new char[1024];
        return [.. new string(buffer, 0, reader.ReadBlock(buffer, 0, buffer.Length)).Split('\n').Take(2).Select(line => line.TrimEnd('\r'))];
    }

    private sealed record Answer(string Version, string? Driver);
}
