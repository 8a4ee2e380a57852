namespace Aragora.Runbook.Environments;

/// <summary>A libpq password file (mode 0600) that exists only as long as a child needs it.</summary>
public sealed class PasswordFile : IDisposable
{
    private PasswordFile(string path) => Path = path;

    /// <summary>The file; for <c>PGPASSFILE</c>.</summary>
    public string Path { get; }

    /// <summary>Writes the file into a fresh folder that nobody else may enter.</summary>
    /// <exception cref="Outcomes.BadInputException">The password holds a line break, which libpq's format cannot express.</exception>
    public static PasswordFile? For(PostgresUrl url)
    {
        if (url.Password is null)
        {
            return null;
        }

        if (url.Password.AsSpan().IndexOfAny('\n', '\r') >= 0)
        {
            throw new Outcomes.BadInputException("The password holds a line break.", "libpq's password file has one entry a line", "change the password");
        }

        var folder = Directory.CreateTempSubdirectory("aragora-");
        var path = System.IO.Path.Combine(folder.FullName, "pgpass");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var writer = new StreamWriter(path, options))
        {
            writer.Write($"*:*:*:*:{Escaped(url.Password)}\n");
        }

        return new PasswordFile(path);
    }

    /// <summary>Deletes the file and its folder.</summary>
    public void Dispose() => Directory.Delete(System.IO.Path.GetDirectoryName(Path)!, recursive: true);

    private static string Escaped(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);
}
