namespace Aragora.Runbook.Journal;

/// <summary>Folders that only their owner may enter: a run's logs hold names, revisions and rows that failed.</summary>
public static class PrivateFolder
{
    /// <summary>Makes the folder with mode 0700; one that is there is left as it is, and so are the folders above it, which are made as usual.</summary>
    /// <param name="path">The folder, absolute.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static void Create(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)))!);
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
