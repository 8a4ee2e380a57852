using System.Net;
using Aragora.Runbook.Outcomes;
using k8s;
using k8s.Autorest;
using k8s.Exceptions;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>Which cluster, and where in it.</summary>
/// <param name="Kubeconfig">One file, or several as <c>KUBECONFIG</c> lists them; null for kubectl's default, else the cluster that this process runs in.</param>
/// <param name="Context">The context; null for the current one.</param>
/// <param name="Namespace">The namespace; null for the context's.</param>
public sealed record ClusterAddress(string? Kubeconfig, string? Context, string? Namespace);

/// <summary>A Kubernetes cluster, through KubernetesClient. Nothing of the domain.</summary>
public sealed class KubernetesCluster : IDisposable
{
    private KubernetesCluster(k8s.Kubernetes client, string @namespace, string description) => (Client, Namespace, Description) = (client, @namespace, description);

    /// <summary>The client.</summary>
    public k8s.Kubernetes Client { get; }

    /// <summary>The namespace in which we work.</summary>
    public string Namespace { get; }

    /// <summary>Context and server, for messages.</summary>
    public string Description { get; }

    /// <summary>Reads the configuration as kubectl does; connects to nothing yet.</summary>
    /// <exception cref="BadInputException">There is no configuration, it does not parse, or it has no such context.</exception>
    public static KubernetesCluster Connect(ClusterAddress address)
    {
        try
        {
            var configuration = Configuration(address);
            var @namespace = address.Namespace ?? configuration.Namespace ?? "default";
            return new KubernetesCluster(new k8s.Kubernetes(configuration), @namespace, $"{configuration.CurrentContext ?? "in-cluster"} ({configuration.Host})");
        }
        catch (Exception unusable) when (unusable is KubeConfigException or IOException or UnauthorizedAccessException or YamlDotNet.Core.YamlException)
        {
            throw new BadInputException("There is no usable Kubernetes configuration.", unusable.Message, "kubectl config get-contexts   shows what there is; name the file with --kubeconfig", unusable);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Client.Dispose();

    private static KubernetesClientConfiguration Configuration(ClusterAddress address)
    {
        if (address.Kubeconfig is { Length: > 0 } file)
        {
            return KubernetesClientConfiguration.BuildConfigFromConfigFile(new FileInfo(file), address.Context);
        }

        return address.Context is null && KubernetesClientConfiguration.IsInCluster()
            ? KubernetesClientConfiguration.InClusterConfig()
            : KubernetesClientConfiguration.BuildConfigFromConfigFile(new FileInfo(KubernetesClientConfiguration.KubeConfigDefaultLocation), address.Context);
    }
}
