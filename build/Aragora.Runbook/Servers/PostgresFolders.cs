namespace Aragora.Runbook.Servers;

/// <summary>Where PostgreSQL's programs may lie on this machine.</summary>
public static class PostgresFolders
{
    /// <summary>Folders on the PATH first, then the usual ones of Debian, Red Hat, Homebrew and Windows; not all of them exist.</summary>
    public static IEnumerable<string> Candidates()
    {
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            yield return folder;
        }

        foreach (var (parent, tail) in new[]
                 {
                     ("/usr/lib/postgresql", "bin"), // Debian, Ubuntu
                     ("/usr/lib64/pgsql", "bin"), // Red Hat's own
                     ("/opt/homebrew/opt", "bin"),
                     ("/usr/local/opt", "bin"),
                     (Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "PostgreSQL"), "bin"),
                 })
        {
            if (Directory.Exists(parent))
            {
                foreach (var version in Directory.EnumerateDirectories(parent))
                {
                    yield return Path.Combine(version, tail);
                }
            }
        }

        yield return "/usr/bin";
        if (Directory.Exists("/usr"))
        {
            foreach (var folder in Directory.EnumerateDirectories("/usr", "pgsql-*")) // PGDG on Red Hat
            {
                yield return Path.Combine(folder, "bin");
            }
        }
    }
}
