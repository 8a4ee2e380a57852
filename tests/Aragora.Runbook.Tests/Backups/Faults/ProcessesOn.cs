using Aragora.Runbook.Adapters.Processes;

namespace Aragora.Runbook.Tests.Backups.Faults;

/// <summary>This machine's processes, by a folder on their command line that no other test uses. Linux only.</summary>
internal static class ProcessesOn
{
    public static IReadOnlyList<int> Folder(string folder, string program = "") =>
        [.. Directory.EnumerateDirectories("/proc").Select(path => int.TryParse(Path.GetFileName(path), out var id) ? id : 0).Where(id => id > 0 && CommandLine(id) is var line && line.Contains(folder, StringComparison.Ordinal) && line.Contains(program, StringComparison.Ordinal))];

    /// <summary>A process and its children, at once.</summary>
    public static void Kill(IReadOnlyList<int> processes)
    {
        foreach (var id in processes.Concat(processes.SelectMany(Children)).ToList())
        {
            Signals.Send(id, Signal.Kill);
        }
    }

    public static async Task UntilAsync(Func<bool> condition, Task? meanwhile = null)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition() && meanwhile?.IsCompleted != true)
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    private static IEnumerable<int> Children(int id)
    {
        try
        {
            return Directory.EnumerateDirectories($"/proc/{id}/task").SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(int.Parse).ToList();
        }
        catch (IOException)
        {
            // It is gone already.
            return [];
        }
    }

    private static string CommandLine(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
