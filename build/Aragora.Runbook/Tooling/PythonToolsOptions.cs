namespace Aragora.Runbook.Tooling;

/// <summary>Where Python programs are looked for, and what may be installed.</summary>
public sealed record PythonToolsOptions
{
    /// <summary>The root of the checkout; virtual environments lie below its <c>.nuke/temp</c>.</summary>
    public required string Root { get; init; }

    /// <summary>Pinned requirements for the virtual environment. Default: <c>migrations/requirements.txt</c> below the root; without the file there is none.</summary>
    public string? RequirementsFile { get; init; }

    /// <summary>The folders of the PATH. Default: those of this process.</summary>
    public IReadOnlyList<string> SearchPath { get; init; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Interpreters that are tried whether or not they are on the PATH: where the system's packages put theirs.</summary>
    public IReadOnlyList<string> SystemInterpreters { get; init; } = ["/usr/bin/python3"];

    /// <summary>Whether the system's packages may be installed. Default: as root.</summary>
    public bool MayInstallSystemPackages { get; init; } = !OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess;

    /// <summary>Variables for pip, such as <c>PIP_INDEX_URL</c>, beside those that are inherited.</summary>
    public IReadOnlyDictionary<string, string?> PipEnvironment { get; init; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>How long pip may take. Default: 5 minutes.</summary>
    public TimeSpan PipPatience { get; init; } = TimeSpan.FromMinutes(5);
}
