using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tooling;

namespace Aragora.Runbook.Migrations.Images;

/// <summary>Makes sure that an image holds the migrations tree at hand, and that it reaches the very database that is about to move.</summary>
/// <param name="commands">Describes the tree at hand.</param>
/// <param name="python">An interpreter with Alembic.</param>
/// <param name="project">The tree at hand.</param>
public sealed class ImageCheck(ICommandRunner commands, IPythonTools python, AlembicProject project)
{
    private static readonly string Script = ReadScript();

    /// <summary>The command to run in the image: <c>sh</c> finds its Python, the script is an argument, the answer is one marked line of its output.</summary>
    /// <param name="configuration">The <c>alembic.ini</c> as the image knows it, relative to its working directory.</param>
    public IReadOnlyList<string> Command(string configuration) =>
        ["sh", "-c", "exec \"$(command -v python3 || command -v python || echo python3)\" -c \"$@\"", "sh", Script, configuration, .. project.UrlVariables];

    /// <summary>Compares what the image said with what is at hand.</summary>
    /// <param name="lines">The output of <see cref="Command"/>.</param>
    /// <param name="image">What ran, for messages: an image, or a service and its image.</param>
    /// <param name="environment">The database.</param>
    /// <param name="now">The database as it is.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="RefusedException">Another tree, another database, or no answer.</exception>
    public async Task RequireAsync(IReadOnlyList<string> lines, string image, DatabaseEnvironment environment, DatabaseFacts now, CancellationToken cancellation)
    {
        var inside = ImageDescription.Find(lines) ?? throw new RefusedException(
            $"{image} could not say which migrations it holds.",
            string.Join(" / ", lines.TakeLast(5).Select(line => line.Trim())) is { Length: > 0 } said ? said : "it said nothing",
            "the image needs sh, Python and Alembic, as a migration does; nothing was moved");
        RequireTree(inside, await DescribeAsync(cancellation), image);
        RequireDatabase(inside, image, environment, now);
    }

    /// <summary>The tree at hand, described by the same script.</summary>
    private async Task<DescribedTree> DescribeAsync(CancellationToken cancellation)
    {
        var alembic = await python.AlembicAsync(cancellation);
        var result = await commands.RunAsync(
            new Command { Program = alembic.Interpreter, Arguments = ["-c", Script, project.ConfigFile], WorkingDirectory = project.Folder, Environment = PythonEnvironment.Variables },
            cancellation: cancellation);
        var here = ImageDescription.Find(result.Output.Split('\n'));
        return here?.Tree ?? throw new BadInputException($"The migrations tree of {project.ConfigFile} does not load.", here?.TreeError ?? result.Tail(), "./build.sh Preflight");
    }

    private static void RequireTree(ImageDescription inside, DescribedTree here, string image)
    {
        if (inside.Tree is not { } there)
        {
            throw new RefusedException($"{image} holds no migrations tree that loads.", inside.TreeError ?? "it did not say why", "build the image with this checkout's migrations in it, or name another with --migration-image; nothing was moved");
        }

        var other = here.Files.Where(file => there.Files.TryGetValue(file.Key, out var hash) && hash != file.Value).Select(file => $"{file.Key} differs")
            .Concat(here.Files.Keys.Except(there.Files.Keys, StringComparer.Ordinal).Select(file => $"{file} is missing there"))
            .Concat(there.Files.Keys.Except(here.Files.Keys, StringComparer.Ordinal).Select(file => $"{file} is only there"))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (other.Count == 0)
        {
            return;
        }

        var heads = there.Heads.SequenceEqual(here.Heads, StringComparer.Ordinal) ? $"both have the head {string.Join(", ", here.Heads)}" : $"its head is {string.Join(", ", there.Heads)}, and that of this checkout {string.Join(", ", here.Heads)}";
        throw new RefusedException(
            $"{image} holds another migrations tree than this checkout.",
            $"{heads}; {string.Join("; ", other.Take(5))}{(other.Count > 5 ? $"; and {other.Count - 5} more" : "")}",
            "check out the commit that the image was built from, or build the image from this one; nothing was moved");
    }

    private static void RequireDatabase(ImageDescription inside, string image, DatabaseEnvironment environment, DatabaseFacts now)
    {
        if (inside.Database is not { } reached)
        {
            throw new RefusedException($"{image} does not reach {environment.DisplayName}'s database.", inside.DatabaseError ?? "it did not say why", "correct the URL that it is given (its secret, or its service's environment); nothing was moved");
        }

        if (reached.SystemIdentifier != now.Identity.SystemIdentifier || reached.Oid != now.Identity.DatabaseOid || reached.Name != now.Identity.DatabaseName)
        {
            throw new RefusedException(
                $"{image} reaches another database than {environment.UrlVariable}.",
                $"it reaches {reached.Name} (system {reached.SystemIdentifier}, oid {reached.Oid}); {environment.UrlVariable} leads to {now.Identity}",
                "correct one of the two; nothing was moved");
        }
    }

    private static string ReadScript()
    {
        using var stream = typeof(ImageCheck).Assembly.GetManifestResourceStream("describe_image.py")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
