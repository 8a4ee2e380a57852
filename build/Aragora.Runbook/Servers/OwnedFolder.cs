namespace Aragora.Runbook.Servers;

/// <summary>A folder that lives as long as its owner: erased at the end, and by the next process if this one is killed. A lock beside it (<c>.owner</c>), which the system releases with the process, tells the two cases apart.</summary>
internal sealed class OwnedFolder : IDisposable
{
    private const string Mark = ".owner";
    private readonly ExclusiveLock owner;

    private OwnedFolder(string path, ExclusiveLock owner) => (Path, this.owner) = (path, owner);

    /// <summary>The folder; whoever reserved it makes it.</summary>
    public string Path { get; }

    /// <summary>Takes a name that nobody has. The folder is not made.</summary>
    /// <exception cref="Outcomes.BadInputException">The lock cannot be made there.</exception>
    /// <exception cref="InvalidOperationException">The name is taken.</exception>
    public static OwnedFolder Reserve(string path)
    {
        // Whoever sweeps may hold a lock that was made this very moment; it lets go at once.
        ExclusiveLock? owner = null;
        return SpinWait.SpinUntil(() => (owner = ExclusiveLock.TryAcquire(path + Mark)) is not null, TimeSpan.FromSeconds(1))
            ? new OwnedFolder(path, owner!)
            : throw new InvalidOperationException($"{path} is reserved already.");
    }

    /// <summary>Erases the folders whose owners are gone. Those of other users are left alone.</summary>
    /// <param name="parent">Where they lie; need not be there.</param>
    /// <param name="pattern">Their names, such as <c>python-*.partial</c>.</param>
    public static void Sweep(string parent, string pattern)
    {
        if (!Directory.Exists(parent))
        {
            return;
        }

        // The lock comes first and goes last: a folder without one is nobody's.
        var folders = Directory.EnumerateDirectories(parent, pattern).Concat(Directory.EnumerateFiles(parent, pattern + Mark).Select(file => file[..^Mark.Length]));
        foreach (var folder in folders.Distinct(StringComparer.Ordinal).ToList())
        {
            try
            {
                if (ExclusiveLock.TryAcquire(folder + Mark) is { } orphan)
                {
                    new OwnedFolder(folder, orphan).Dispose();
                }
            }
            catch (Exception notOurs) when (notOurs is Outcomes.BadInputException or UnauthorizedAccessException or IOException)
            {
                // Another user's: it is swept when that user comes by.
            }
        }
    }

    /// <summary>Erases it.</summary>
    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // It was never made, or has been given its lasting name.
        }
        finally
        {
            owner.DisposeAndDelete();
        }
    }
}
