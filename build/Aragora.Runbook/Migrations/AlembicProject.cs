using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Migrations;

/// <summary>Where a tree of Alembic migrations lies, and how it wants to be told which database to migrate.</summary>
public sealed record AlembicProject
{
    /// <summary>The <c>alembic.ini</c>, absolute. Its folder is Alembic's working directory.</summary>
    public required string ConfigFile { get; init; }

    /// <summary>The environment variables that get the database's URL. Default: <c>DATABASE_URL</c> and <c>ARAGORA_POSTGRES_DSN</c>.</summary>
    public IReadOnlyList<string> UrlVariables { get; init; } = ["DATABASE_URL", "ARAGORA_POSTGRES_DSN"];

    /// <summary>The URL's scheme. Default: <c>postgresql</c>; some trees need their driver in it, such as <c>postgresql+asyncpg</c>.</summary>
    public string UrlScheme { get; init; } = "postgresql";

    /// <summary>The folder of <see cref="ConfigFile"/>.</summary>
    public string Folder => Path.GetDirectoryName(ConfigFile)!;

    /// <summary>Finds the <c>alembic.ini</c>: the file that was named, else in the migrations folder, else in the folder above it (where <c>alembic init</c> puts it).</summary>
    /// <param name="root">What relative paths start from.</param>
    /// <param name="migrationsDirectory">The value of <c>--migrations-directory</c>. Default: <c>migrations</c>.</param>
    /// <param name="alembicConfig">The value of <c>--alembic-config</c>; null looks for it.</param>
    /// <exception cref="BadInputException">There is none.</exception>
    public static AlembicProject Locate(string root, string? migrationsDirectory = null, string? alembicConfig = null)
    {
        var folder = Path.GetFullPath(migrationsDirectory ?? "migrations", Path.GetFullPath(root));
        if (alembicConfig is not null)
        {
            var named = new[] { Path.GetFullPath(alembicConfig, Path.GetFullPath(root)), Path.GetFullPath(alembicConfig, folder) }.FirstOrDefault(File.Exists);
            return new AlembicProject
            {
                ConfigFile = named ?? throw new BadInputException($"There is no Alembic configuration {alembicConfig}.", $"neither below {root} nor below {folder}", "name the file with --alembic-config"),
            };
        }

        if (!Directory.Exists(folder))
        {
            throw new BadInputException($"There is no migrations folder {folder}.", "", "name it with --migrations-directory, or the configuration with --alembic-config");
        }

        var found = new[] { Path.Combine(folder, "alembic.ini"), Path.Combine(Path.GetDirectoryName(folder) ?? folder, "alembic.ini") }.FirstOrDefault(File.Exists);
        return new AlembicProject
        {
            ConfigFile = found ?? throw new BadInputException($"There is no alembic.ini in {folder}.", "nor in the folder above it", "name it with --alembic-config"),
        };
    }
}
