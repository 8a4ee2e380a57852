namespace Aragora.Runbook.Snapshots;

/// <summary>What becomes of a restored instance.</summary>
public enum SwitchMode
{
    /// <summary>Its endpoint is printed, with what to change; nothing moves.</summary>
    Print,

    /// <summary>It is given the original's name, so that the endpoint stays; the original is kept under a dated one.</summary>
    Rename,
}
