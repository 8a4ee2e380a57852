namespace Aragora.Runbook.Applications;

/// <summary>Whoever runs a part of the application (an API server, an engine) did not do what was asked.</summary>
/// <param name="message">Why.</param>
/// <param name="isTransient">Whether it may be different in a moment.</param>
/// <param name="cause">The technical cause; null for none.</param>
public sealed class PartException(string message, bool isTransient, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Whether it may be different in a moment.</summary>
    public bool IsTransient { get; } = isTransient;
}
