using System.Text.Json;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tooling;

namespace Aragora.Runbook.Migrations;

/// <summary>Reads a migrations tree through Alembic itself, without <c>env.py</c> and without a database.</summary>
public sealed class MigrationsTreeReader(ICommandRunner commands, IPythonTools python)
{
    private static readonly string Script = ReadScript("describe_losses.py") + "\n" + ReadScript("describe_tree.py");

    /// <summary>Loads every revision file.</summary>
    /// <exception cref="BadInputException">The tree does not load; the message names the file and the line where they are known.</exception>
    public async Task<MigrationsTree> ReadAsync(AlembicProject project, CancellationToken cancellation)
    {
        var alembic = await python.AlembicAsync(cancellation);
        var result = await commands.RunAsync(
            new Command
            {
                Program = alembic.Interpreter,
                Arguments = ["-", project.ConfigFile],
                WorkingDirectory = project.Folder,
                StandardInput = Script,
                Environment = PythonEnvironment.Variables,
            },
            cancellation: cancellation);
        if (!result.Succeeded || result.Output.Length == 0)
        {
            throw DoesNotLoad(project, result.Tail(), "");
        }

        var answer = JsonSerializer.Deserialize<Answer>(result.Output, RunbookJson.Line)!;
        if (answer.Errors.Count > 0)
        {
            throw Explain(project, answer.Errors);
        }

        var hash = TreeHash.Of(project.Folder, [project.ConfigFile, .. answer.OtherFiles!, .. answer.Revisions!.Select(revision => revision.File)]);
        return new MigrationsTree(project.ConfigFile, hash, answer.Heads!, answer.Revisions!);
    }

    private static BadInputException Explain(AlembicProject project, IReadOnlyList<TreeError> errors)
    {
        var error = errors[0];
        var warnings = errors.Where(other => other.Kind == "warning").Select(other => other.Message).ToList();
        if (error.Kind == "alembic")
        {
            return DoesNotLoad(project, $"Alembic could not be imported: {error.Message}", "./build.sh Preflight");
        }

        if (error.Kind == "duplicate")
        {
            return DoesNotLoad(project, $"{error.Message}: two files have the same revision id", "give one of them an id of its own");
        }

        if (error.Type == "KeyError" && warnings.FirstOrDefault(warning => warning.Contains("is not present", StringComparison.Ordinal)) is { } missing)
        {
            return DoesNotLoad(project, $"{missing}: its file is missing, or down_revision is misspelt", "git log --all -- " + project.Folder + "   finds a file that was deleted");
        }

        if (error.Message.Contains("Cycle is detected", StringComparison.Ordinal) || error.Message.Contains("Dependency resolution failed", StringComparison.Ordinal))
        {
            return DoesNotLoad(project, $"{error.Message}: they follow each other in a circle", "correct down_revision in one of these files");
        }

        if (error.File is not null)
        {
            var text = error.Type == "SyntaxError" ? $"syntax error: {error.Message}" : $"{error.Type}: {error.Message}";
            return DoesNotLoad(project, $"{error.File}, line {error.Line}: {text}", $"correct {error.File}");
        }

        return error.Message.Contains("script_location", StringComparison.Ordinal)
            ? DoesNotLoad(project, $"{project.ConfigFile} has no script_location in its [alembic] section", "write script_location = %(here)s there, or name another file with --alembic-config")
            : DoesNotLoad(project, $"{error.Type}: {error.Message}", $"alembic -c {project.ConfigFile} history   shows the same");
    }

    private static BadInputException DoesNotLoad(AlembicProject project, string why, string next) =>
        new($"The migrations tree of {project.ConfigFile} does not load.", why, next);

    private static string ReadScript(string name)
    {
        using var stream = typeof(MigrationsTreeReader).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private sealed record Answer(IReadOnlyList<string>? Heads, IReadOnlyList<Revision>? Revisions, IReadOnlyList<string>? OtherFiles, IReadOnlyList<TreeError> Errors);

    private sealed record TreeError(string Kind, string Message, string? Type = null, string? File = null, int? Line = null);
}
