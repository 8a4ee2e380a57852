namespace Aragora.Runbook.Tooling;

/// <summary>A program that runs on this machine.</summary>
/// <param name="Pid">Its process.</param>
/// <param name="Path">The program's file.</param>
/// <param name="Files">What would change under it: its own file, and, for a PostgreSQL server, every library that it has loaded.</param>
internal sealed record RunningProgram(int Pid, string Path, IReadOnlyList<string> Files)
{
    private const string Deleted = " (deleted)";

    /// <summary>Whether it is a PostgreSQL server.</summary>
    public bool IsServer => System.IO.Path.GetFileName(Path) is "postgres" or "postmaster";

    /// <summary>All that can be seen; root sees every one.</summary>
    public static IReadOnlyList<RunningProgram> ReadAll() =>
        [.. Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(System.IO.Path.GetFileName(folder), out var pid) ? Read(pid) : null).OfType<RunningProgram>()];

    private static RunningProgram? Read(int pid)
    {
        try
        {
            if (new FileInfo($"/proc/{pid}/exe").LinkTarget is not { } target)
            {
                return null;
            }

            var path = Existing(target);
            var program = new RunningProgram(pid, path, [path]);
            return program.IsServer ? program with { Files = [.. Mapped(pid).Append(path).Distinct(StringComparer.Ordinal)] } : program;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It has ended meanwhile, or is a thread of the kernel.
            return null;
        }
    }

    private static IEnumerable<string> Mapped(int pid) => File.ReadLines($"/proc/{pid}/maps")
        .Where(line => line.Contains('/', StringComparison.Ordinal))
        .Select(line => Existing(line[line.IndexOf('/', StringComparison.Ordinal)..]));

    private static string Existing(string path) => path.EndsWith(Deleted, StringComparison.Ordinal) ? path[..^Deleted.Length] : path;
}
