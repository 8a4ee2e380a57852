using k8s;
using k8s.Models;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>What whoever asks may do, by the API's own word.</summary>
public static class AccessReview
{
    /// <summary>Those of the acts that are not allowed in the cluster's namespace.</summary>
    /// <exception cref="KubernetesApiException">It cannot be asked.</exception>
    public static async Task<IReadOnlyList<ApiAct>> MissingAsync(KubernetesCluster cluster, IReadOnlyList<ApiAct> acts, CancellationToken cancellation)
    {
        var answers = await Task.WhenAll(acts.Select(async act => (act, Allowed: await IsAllowedAsync(cluster, act, cancellation))));
        return [.. answers.Where(answer => !answer.Allowed).Select(answer => answer.act)];
    }

    private static async Task<bool> IsAllowedAsync(KubernetesCluster cluster, ApiAct act, CancellationToken cancellation)
    {
        var (resource, group, subresource) = Parts(act.Resource);
        var review = new V1SelfSubjectAccessReview
        {
            Spec = new V1SelfSubjectAccessReviewSpec
            {
                ResourceAttributes = new V1ResourceAttributes { NamespaceProperty = cluster.Namespace, Verb = act.Verb, Resource = resource, Group = group, Subresource = subresource, Name = act.Name },
            },
        };
        var answer = await cluster.CallAsync(new ApiAct("create", "selfsubjectaccessreviews.authorization.k8s.io"), (client, ended) => client.AuthorizationV1.CreateSelfSubjectAccessReviewAsync(review, cancellationToken: ended), cancellation);
        return answer.Status.Allowed;
    }

    private static (string Resource, string Group, string? Subresource) Parts(string text)
    {
        var slash = text.Split('/', 2);
        var dot = slash[0].Split('.', 2);
        return (dot[0], dot.Length > 1 ? dot[1] : "", slash.Length > 1 ? slash[1] : null);
    }
}
