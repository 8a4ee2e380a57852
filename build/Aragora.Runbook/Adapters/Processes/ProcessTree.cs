using System.Globalization;
using System.Text;

namespace Aragora.Runbook.Adapters.Processes;

/// <summary>A command's process and all that descend from it, found while they live; Linux only, elsewhere it stays empty.</summary>
/// <remarks>A descendant is known by its parent, or, when that one has ended already, by a variable that all of them inherit. Its start time tells it from a later process with the same number.</remarks>
internal sealed class ProcessTree
{
    /// <summary>The variable that marks a command and its descendants.</summary>
    public const string Variable = "ARAGORA_COMMAND";

    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(5);
    private readonly HashSet<(int Id, ulong Started)> known = [];
    private readonly byte[] marking;

    /// <summary>Of a command that was just started.</summary>
    /// <param name="root">The command's process.</param>
    /// <param name="mark">The value of <see cref="Variable"/> in the command's environment.</param>
    public ProcessTree(int root, string mark)
    {
        marking = Encoding.UTF8.GetBytes($"{Variable}={mark}\0");
        if (OperatingSystem.IsLinux() && Read(root.ToString(CultureInfo.InvariantCulture)) is { } command)
        {
            known.Add((command.Id, command.Started));
        }
    }

    /// <summary>Looks for descendants and remembers them: they are recognised after their parents are gone.</summary>
    public void Look()
    {
        var all = Running();
        known.UnionWith(all.Where(process => IsMarked(process.Id)).Select(process => (process.Id, process.Started)));
        var family = all.Where(process => known.Contains((process.Id, process.Started))).Select(process => process.Id).ToHashSet();
        for (var before = 0; before != family.Count;)
        {
            before = family.Count;
            foreach (var child in all.Where(process => family.Contains(process.Parent)))
            {
                family.Add(child.Id);
                known.Add((child.Id, child.Started));
            }
        }
    }

    /// <summary>Kills what is left of it, and what that starts meanwhile.</summary>
    /// <returns>False if some of it is still there after 5 seconds: it is another user's, or the kernel does not let go of it.</returns>
    public async Task<bool> KillAsync()
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            Look();
            var alive = Running().Where(process => known.Contains((process.Id, process.Started))).ToList();
            if (alive.Count == 0)
            {
                return true;
            }

            foreach (var process in alive)
            {
                Signals.Send(process.Id, Signal.Kill);
            }

            if (TimeProvider.System.GetElapsedTime(began) > KillPatience)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);
        }
    }

    private static List<Entry> Running() =>
        OperatingSystem.IsLinux()
            ? [.. Directory.EnumerateDirectories("/proc").Select(folder => Path.GetFileName(folder)).Where(name => char.IsAsciiDigit(name[0])).Select(Read).OfType<Entry>()]
            : [];

    /// <summary>From proc(5): <c>pid (name) state ppid … starttime</c>; the name may hold anything. A zombie has ended.</summary>
    private static Entry? Read(string id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X"
                ? null
                : new Entry(int.Parse(id, CultureInfo.InvariantCulture), int.Parse(fields[1], CultureInfo.InvariantCulture), ulong.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private bool IsMarked(int id)
    {
        try
        {
            return File.ReadAllBytes($"/proc/{id}/environ").AsSpan().IndexOf(marking) >= 0;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return false; // It has ended, or is another user's.
        }
    }

    private sealed record Entry(int Id, int Parent, ulong Started);
}
