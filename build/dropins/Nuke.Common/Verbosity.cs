namespace Nuke.Common;

/// <summary>How much the console shows. The log files hold everything.</summary>
public enum Verbosity
{
    /// <summary>Everything.</summary>
    Verbose,

    /// <summary>Debug and above.</summary>
    Normal,

    /// <summary>Warnings and errors.</summary>
    Minimal,

    /// <summary>Errors.</summary>
    Quiet,
}

/// <summary>The same levels under the names that <see cref="Execution.Logging"/> uses.</summary>
public enum LogLevel
{
    /// <summary>Everything.</summary>
    Trace,

    /// <summary>Debug and above.</summary>
    Normal,

    /// <summary>Warnings and errors.</summary>
    Warning,

    /// <summary>Errors.</summary>
    Error,
}
