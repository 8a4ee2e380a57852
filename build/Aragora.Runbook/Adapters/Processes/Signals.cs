using System.Runtime.InteropServices;

namespace Aragora.Runbook.Adapters.Processes;

/// <summary>POSIX signals, by their numbers on Linux and macOS.</summary>
internal enum Signal
{
    /// <summary>SIGINT; PostgreSQL: shut down with a checkpoint.</summary>
    Interrupt = 2,

    /// <summary>SIGQUIT; PostgreSQL: shut down at once.</summary>
    Quit = 3,

    /// <summary>SIGKILL: not to be refused.</summary>
    Kill = 9,

    /// <summary>SIGTERM: a request to end.</summary>
    Terminate = 15,
}

/// <summary>Sends signals by kill(2): the program <c>kill</c> is missing in minimal images, where it belongs to procps.</summary>
internal static class Signals
{
    /// <summary>Sends a signal. Not for Windows, which has none.</summary>
    /// <param name="process">One process; never a group.</param>
    /// <param name="signal">The signal.</param>
    /// <returns>False if there is no such process, or it may not be signalled by this user.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Zero and negative numbers would reach whole groups of processes, ours among them.</exception>
    public static bool Send(int process, Signal signal)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(process);
        return Kill(process, (int)signal) == 0;
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
