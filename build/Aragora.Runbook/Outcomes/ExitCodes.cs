namespace Aragora.Runbook.Outcomes;

/// <summary>What the process tells its caller. Documented in the README; part of the contract with CI.</summary>
public static class ExitCodes
{
    /// <summary>Everything asked for was seen to have happened.</summary>
    public const int Green = 0;

    /// <summary>The input was wrong (a switch, a value, a connection); nothing was touched.</summary>
    public const int BadInput = 2;

    /// <summary>A gate refused; nothing was changed.</summary>
    public const int Refused = 3;

    /// <summary>A step failed, and the databases are as they were before it.</summary>
    public const int FailedClean = 4;

    /// <summary>A step failed or was not verified, and a person has to look before anything else runs.</summary>
    public const int NeedsPerson = 5;

    /// <summary>The run was cancelled (Ctrl-C, SIGTERM).</summary>
    public const int Cancelled = 130;
}
