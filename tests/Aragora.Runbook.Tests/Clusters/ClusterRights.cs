using k8s.Models;

namespace Aragora.Runbook.Tests.Clusters;

/// <summary>The Role that docs/kubernetes.md names: what a migration needs, and nothing else.</summary>
public static class ClusterRights
{
    public static IReadOnlyList<V1PolicyRule> Needed { get; } =
    [
        new() { ApiGroups = ["batch"], Resources = ["jobs"], Verbs = ["create", "get", "list", "delete"] },
        new() { ApiGroups = [""], Resources = ["pods"], Verbs = ["get", "list"] },
        new() { ApiGroups = [""], Resources = ["pods/log"], Verbs = ["get"] },
        new() { ApiGroups = [""], Resources = ["events"], Verbs = ["list"] },
    ];

    public static IReadOnlyList<V1PolicyRule> Without(string resource, string verb) =>
        [.. Needed.Select(rule => rule.Resources.Contains(resource) ? new V1PolicyRule { ApiGroups = rule.ApiGroups, Resources = rule.Resources, Verbs = [.. rule.Verbs.Where(one => one != verb)] } : rule).Where(rule => rule.Verbs.Count > 0)];
}
