using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Servers;

/// <summary>A file that one process at a time holds open. The system releases it when the process dies, however it dies.</summary>
public sealed class ExclusiveLock : IDisposable
{
    private readonly FileStream file;
    private bool disposed;

    private ExclusiveLock(FileStream file) => this.file = file;

    /// <summary>Waits for the lock.</summary>
    /// <param name="path">The lock file; its folder is made if need be.</param>
    /// <param name="what">What is locked, for the message.</param>
    /// <param name="patience">How long to wait for another holder.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <exception cref="RefusedException">It is still held after <paramref name="patience"/>.</exception>
    public static async Task<ExclusiveLock> AcquireAsync(string path, string what, TimeSpan patience, CancellationToken cancellation)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (TryAcquire(path) is { } held)
            {
                return held;
            }

            if (TimeProvider.System.GetElapsedTime(started) > patience)
            {
                throw new RefusedException($"Another process has been at work on {what} for {patience.TotalSeconds:0} s.", $"it holds {path}", "wait for it to end, or end it; then repeat the command");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellation);
        }
    }

    /// <summary>The lock if it is free; null if somebody holds it.</summary>
    /// <exception cref="BadInputException">The lock file cannot be made here.</exception>
    public static ExclusiveLock? TryAcquire(string path)
    {
        MakeFolder(Path.GetDirectoryName(path)!, path);
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            var held = new ExclusiveLock(new FileStream(path, options));
            if (held.IsStillAt(path))
            {
                return held;
            }

            held.Dispose();
            return null;
        }
        catch (IOException busy) when (IsHeldOrVanished(busy))
        {
            return null;
        }
        catch (Exception denied) when (denied is UnauthorizedAccessException or IOException)
        {
            throw Unwritable(path, denied);
        }
    }

    /// <summary>Removes the lock file while it is held. Whoever waits for it notices, and makes a new one.</summary>
    public void DisposeAndDelete()
    {
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(file.Name);
        }

        Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!disposed)
        {
            disposed = true;
            file.Dispose();
        }
    }

    private static void MakeFolder(string folder, string path)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception denied) when (denied is UnauthorizedAccessException or IOException)
        {
            throw Unwritable(path, denied);
        }
    }

    private static BadInputException Unwritable(string path, Exception denied) =>
        new($"{path} cannot be written.", denied.Message, "give this user the folder, or name another", denied);

    /// <summary>EWOULDBLOCK of Linux and macOS, ERROR_SHARING_VIOLATION of Windows; or its folder was erased this very moment. A full or read-only disk is neither.</summary>
    private static bool IsHeldOrVanished(IOException failure) =>
        failure is FileNotFoundException or DirectoryNotFoundException || failure.HResult is 11 or 35 or unchecked((int)0x80070020);

    /// <summary>Whether the file that we hold is the one of that name: its last holder may have deleted it between our opening and our locking.</summary>
    private bool IsStillAt(string path)
    {
        file.SetLength(0);
        file.Write(Guid.NewGuid().ToByteArray());
        file.Flush();
        try
        {
            // The clock of a file system stands still for milliseconds: two files that are written in one of them would look the same.
            File.SetLastWriteTimeUtc(file.SafeFileHandle, TimeProvider.System.GetUtcNow().UtcDateTime.AddTicks(-Random.Shared.Next((int)TimeSpan.TicksPerSecond)));
        }
        catch (UnauthorizedAccessException)
        {
            // Another user's file: the moment of our writing has to do.
        }

        return File.Exists(path) && File.GetLastWriteTimeUtc(path) == File.GetLastWriteTimeUtc(file.SafeFileHandle);
    }
}
