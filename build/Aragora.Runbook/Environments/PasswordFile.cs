using System.Globalization;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Servers;

namespace Aragora.Runbook.Environments;

/// <summary>A libpq password file (mode 0600) that exists only as long as a child needs it. One that a killed process left behind is erased when the next is made.</summary>
public sealed class PasswordFile : IDisposable
{
    private const string Prefix = "aragora-pgpass-";
    private readonly OwnedFolder folder;

    private PasswordFile(OwnedFolder folder) => this.folder = folder;

    /// <summary>The file; for <c>PGPASSFILE</c>.</summary>
    public string Path => System.IO.Path.Combine(folder.Path, "pgpass");

    /// <summary>Writes the file into a fresh folder that nobody else may enter. It counts for the URL's server and role only.</summary>
    /// <param name="url">Whose password; without one there is nothing to write, and the result is null.</param>
    /// <param name="parent">Where the folder is made. Default: the system's folder for temporary files.</param>
    /// <exception cref="BadInputException">Password, host or role hold a line break, which libpq's format cannot express.</exception>
    public static PasswordFile? For(PostgresUrl url, string? parent = null)
    {
        if (url.Password is null)
        {
            return null;
        }

        if (new[] { url.Password, url.Host, url.User }.Any(part => part.AsSpan().IndexOfAny('\n', '\r') >= 0))
        {
            throw new BadInputException("The password, the host or the role holds a line break.", "libpq's password file has one entry a line", "change it");
        }

        parent ??= System.IO.Path.GetTempPath();
        OwnedFolder.Sweep(parent, Prefix + "*");
        var made = new PasswordFile(OwnedFolder.Reserve(System.IO.Path.Combine(parent, $"{Prefix}{Guid.NewGuid():N}")));
        try
        {
            made.Write(url);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>Deletes the file and its folder.</summary>
    public void Dispose() => folder.Dispose();

    private void Write(PostgresUrl url)
    {
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder.Path);
        }
        else
        {
            Directory.CreateDirectory(folder.Path, Owner | UnixFileMode.UserExecute);
            options.UnixCreateMode = Owner;
        }

        using var writer = new StreamWriter(Path, options);
        foreach (var host in Hosts(url))
        {
            // Any database: the password is the role's on that server, and tools also connect to postgres or template1.
            writer.Write(string.Create(CultureInfo.InvariantCulture, $"{Escaped(host)}:{url.Port}:*:{Escaped(url.User)}:{Escaped(url.Password!)}\n"));
        }
    }

    /// <summary>libpq looks for <c>localhost</c> where the socket lies in its default folder.</summary>
    private static IEnumerable<string> Hosts(PostgresUrl url) => url.IsSocket ? [url.Host, "localhost"] : [url.Host];

    private static string Escaped(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);
}
