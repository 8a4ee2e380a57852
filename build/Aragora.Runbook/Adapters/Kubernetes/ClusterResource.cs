namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>A kind of object, as the API server's paths name it.</summary>
/// <param name="Group">The API group, such as <c>apps</c>.</param>
/// <param name="Version">The version, such as <c>v1</c>.</param>
/// <param name="Plural">The plural, such as <c>deployments</c>.</param>
public sealed record ClusterResource(string Group, string Version, string Plural)
{
    /// <summary>As <c>kubectl</c> takes it: <c>deployments.apps</c>.</summary>
    public override string ToString() => $"{Plural}.{Group}";
}

/// <summary>A pod, as far as it matters to whoever waits for it.</summary>
/// <param name="Uid">What tells it from a later one of the same name.</param>
/// <param name="Name">Its name.</param>
/// <param name="Addresses">Its IP addresses; none before it has any.</param>
/// <param name="Owner">Its controller, such as <c>ReplicaSet/api-5d8f</c>; null for none.</param>
/// <param name="Phase">Such as <c>Running</c>; see Kubernetes' pod phases.</param>
/// <param name="Trouble">Why it does not run, such as <c>ImagePullBackOff: …</c>; null where nothing is said.</param>
public sealed record PodFacts(string Uid, string Name, IReadOnlyList<string> Addresses, string? Owner, string Phase, string? Trouble)
{
    /// <summary>Whether its processes have ended for good.</summary>
    public bool HasEnded => Phase is "Succeeded" or "Failed";
}
