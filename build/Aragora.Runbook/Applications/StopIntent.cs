using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Applications;

/// <summary>What a run is about to stop, as its journal holds it.</summary>
/// <param name="Endpoint">The database's address.</param>
/// <param name="Database">The database's name.</param>
/// <param name="Parts">Each part.</param>
internal sealed record StopIntent(string Endpoint, string Database, IReadOnlyList<StopIntentPart> Parts)
{
    /// <summary>The act of stopping, in the journal.</summary>
    public static string Act(DatabaseEnvironment environment) => $"stop the application of {environment.DisplayName}";

    /// <summary>What is noted in the journal where it is left stopped on purpose.</summary>
    public static string Leaving(DatabaseEnvironment environment) => $"leave the application of {environment.DisplayName} stopped";

    /// <summary>The act of putting back, in the journal.</summary>
    public static string StartAct(DatabaseEnvironment environment) => $"start the application of {environment.DisplayName}";
}

/// <summary>One part of it.</summary>
/// <param name="Name">The part.</param>
/// <param name="Replicas">How many instances it has.</param>
/// <param name="Images">What it runs.</param>
/// <param name="Suspended">What is suspended with it, and what was set there.</param>
/// <param name="LeftBecause">Why an earlier run had left it stopped on purpose; null where none had.</param>
internal sealed record StopIntentPart(string Name, int Replicas, IReadOnlyList<string> Images, IReadOnlyList<string> Suspended, string? LeftBecause);

/// <summary>What a run leaves stopped on purpose, as its journal holds it.</summary>
/// <param name="Parts">Each part, by name.</param>
/// <param name="Why">Why.</param>
internal sealed record LeftIntent(IReadOnlyList<string> Parts, string Why);
