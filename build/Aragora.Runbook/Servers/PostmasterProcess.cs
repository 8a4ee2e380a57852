using System.Diagnostics;
using System.Globalization;
using System.Text;
using Aragora.Runbook.Adapters.Processes;

namespace Aragora.Runbook.Servers;

/// <summary>The server process of a data folder, as <c>postmaster.pid</c> names it.</summary>
/// <param name="dataFolder">The data folder.</param>
internal sealed class PostmasterProcess(string dataFolder)
{
    private string PidFile => Path.Combine(dataFolder, "postmaster.pid");

    /// <summary>The process id, if that process is alive and serves this folder; null otherwise. After a reboot the number may be somebody else's.</summary>
    public int? Id()
    {
        try
        {
            var first = File.ReadLines(PidFile).FirstOrDefault();
            return int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && Serves(pid) ? pid : null;
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Removes a pid file that names no server of this folder: PostgreSQL would refuse to start while any process has that number.</summary>
    public void RemoveStalePidFile()
    {
        if (Id() is null && Directory.Exists(dataFolder))
        {
            File.Delete(PidFile);
        }
    }

    /// <summary>Ends the server, and kills it if it does not obey; its children notice by themselves.</summary>
    /// <param name="keepsData">True for a shutdown with a checkpoint, so that the next start has nothing to recover; false to end it at once.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="cancellation">Cancels the waiting.</param>
    /// <returns>False if it is still there, even after being killed.</returns>
    public async Task<bool> EndAsync(bool keepsData, TimeSpan patience, CancellationToken cancellation)
    {
        if (Id() is not { } pid)
        {
            return true;
        }

        Send(keepsData ? Signal.Interrupt : Signal.Quit, pid);
        if (!await IsGoneAsync(pid, patience, cancellation))
        {
            Send(Signal.Kill, pid);
            return await IsGoneAsync(pid, TimeSpan.FromSeconds(5), cancellation);
        }

        return true;
    }

    /// <summary>One that is gone already needs no signal; that it is gone is looked at afterwards.</summary>
    private static void Send(Signal signal, int pid)
    {
        if (OperatingSystem.IsWindows())
        {
            using var process = Process.GetProcessById(pid);
            process.Kill(entireProcessTree: true);
            return;
        }

        Signals.Send(pid, signal);
    }

    private async Task<bool> IsGoneAsync(int pid, TimeSpan patience, CancellationToken cancellation)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (Serves(pid))
        {
            if (TimeProvider.System.GetElapsedTime(started) > patience)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellation);
        }

        return true;
    }

    /// <summary>On Linux by its command line (<c>postgres -D folder</c>; a zombie has none); elsewhere by its name.</summary>
    private bool Serves(int pid)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                var words = Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{pid}/cmdline")).Split('\0');
                return words.Contains(dataFolder, StringComparer.Ordinal);
            }

            using var process = Process.GetProcessById(pid);
            return !process.HasExited && process.ProcessName.StartsWith("postgres", StringComparison.Ordinal);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}
