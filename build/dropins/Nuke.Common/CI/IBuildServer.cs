namespace Nuke.Common.CI;

/// <summary>A host that is a CI service.</summary>
public interface IBuildServer
{
    /// <summary>The branch as the service names it; may be null.</summary>
    string Branch { get; }

    /// <summary>The commit; may be null.</summary>
    string Commit { get; }
}
