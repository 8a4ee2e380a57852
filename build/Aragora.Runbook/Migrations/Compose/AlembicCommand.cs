namespace Aragora.Runbook.Migrations.Compose;

/// <summary>How a service calls Alembic: as its own command does, where that is one, else plainly.</summary>
/// <param name="Words">What stands before the subcommand, such as <c>alembic -c migrations/alembic.ini</c>; empty where the entry point is Alembic itself.</param>
/// <param name="Configuration">The <c>alembic.ini</c> as the service knows it, relative to its working directory.</param>
/// <param name="EntrypointIsAlembic">Whether another program has to replace the entry point.</param>
public sealed record AlembicCommand(IReadOnlyList<string> Words, string Configuration, bool EntrypointIsAlembic)
{
    private const string Alembic = "alembic";

    private static readonly HashSet<string> Subcommands = new(StringComparer.Ordinal)
    {
        "branches", "check", "current", "downgrade", "edit", "ensure_version", "heads", "history", "init", "list_templates", "merge", "revision", "show", "stamp", "upgrade",
    };

    /// <summary>From a service's own words.</summary>
    /// <param name="entrypoint">The entry point that counts: the service's, else its image's.</param>
    /// <param name="command">The command that counts, the same way.</param>
    /// <param name="environment">The service's variables: <c>ALEMBIC_CONFIG</c> is Alembic's own.</param>
    public static AlembicCommand Of(IReadOnlyList<string> entrypoint, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment)
    {
        var byDefault = environment.GetValueOrDefault("ALEMBIC_CONFIG", "alembic.ini");
        if (IsAlembic(entrypoint))
        {
            // Options may stand in either.
            var before = BeforeSubcommand(command) ?? [];
            return new AlembicCommand(before, ConfigurationIn([.. entrypoint, .. before]) ?? byDefault, EntrypointIsAlembic: true);
        }

        var words = IsAlembic(command) && BeforeSubcommand(command) is { } kept ? kept : [Alembic];
        return new AlembicCommand(words, ConfigurationIn(words) ?? byDefault, EntrypointIsAlembic: false);
    }

    /// <summary>The whole command.</summary>
    public IReadOnlyList<string> To(MigrationDirection direction, string revision) =>
        [.. Words, direction == MigrationDirection.Upgrade ? "upgrade" : "downgrade", revision];

    /// <summary><c>alembic …</c>, <c>/venv/bin/alembic …</c> or <c>python -m alembic …</c>.</summary>
    private static bool IsAlembic(IReadOnlyList<string> words) => words switch
    {
        [var program, ..] when Name(program) == Alembic => true,
        [var program, "-m", Alembic, ..] => Name(program).StartsWith("python", StringComparison.Ordinal),
        _ => false,
    };

    private static string Name(string program) => program[(program.LastIndexOf('/') + 1)..];

    /// <summary>Null where there is no subcommand. The value of an option is no subcommand.</summary>
    private static List<string>? BeforeSubcommand(IReadOnlyList<string> words)
    {
        for (var at = 0; at < words.Count; at++)
        {
            if (words[at] is "-c" or "--config" or "-n" or "--name" or "-x" or "-m")
            {
                at++;
            }
            else if (Subcommands.Contains(words[at]))
            {
                return [.. words.Take(at)];
            }
        }

        return null;
    }

    private static string? ConfigurationIn(IReadOnlyList<string> words)
    {
        for (var at = 0; at < words.Count; at++)
        {
            switch (words[at])
            {
                case "-c" or "--config" when at + 1 < words.Count:
                    return words[at + 1];
                case var word when word.StartsWith("--config=", StringComparison.Ordinal):
                    return word["--config=".Length..];
                case ['-', 'c', not '-', ..] word:
                    return word[2..];
            }
        }

        return null;
    }
}
