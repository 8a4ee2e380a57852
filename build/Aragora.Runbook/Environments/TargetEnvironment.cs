namespace Aragora.Runbook.Environments;

/// <summary>The environments of the runbook. There are no others: an unknown name is an error, never a default.</summary>
public enum TargetEnvironment
{
    /// <summary>Where every migration runs first.</summary>
    Staging,

    /// <summary>What the gates protect.</summary>
    Production,
}
