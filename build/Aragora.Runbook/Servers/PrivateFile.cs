namespace Aragora.Runbook.Servers;

/// <summary>Files that only their owner may read: they hold a throwaway server's passwords.</summary>
internal static class PrivateFile
{
    /// <summary>Writes the file with mode 0600, whole or not at all.</summary>
    public static async Task WriteAsync(string path, string text, CancellationToken cancellation)
    {
        var partial = path + ".partial";
        await WriteNewAsync(partial, text, UnixFileMode.UserRead | UnixFileMode.UserWrite, cancellation);
        File.Move(partial, path, overwrite: true);
    }

    /// <summary>Replaces whatever is there by a new file of this mode; a link that somebody put there is not followed.</summary>
    public static async Task WriteNewAsync(string path, string text, UnixFileMode mode, CancellationToken cancellation)
    {
        File.Delete(path);
        var create = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            create.UnixCreateMode = mode;
        }

        await using var writer = new StreamWriter(path, create);
        await writer.WriteAsync(text.AsMemory(), cancellation);
    }
}
