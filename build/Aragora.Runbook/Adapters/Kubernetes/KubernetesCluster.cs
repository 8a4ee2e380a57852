using System.Collections.Concurrent;
using Aragora.Runbook.Outcomes;
using k8s;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>Which cluster, and where in it.</summary>
/// <param name="Kubeconfig">One file, or several as <c>KUBECONFIG</c> lists them; null for kubectl's default, else the cluster that this process runs in.</param>
/// <param name="Context">The context; null for the current one.</param>
/// <param name="Namespace">The namespace; null for the context's.</param>
public sealed record ClusterAddress(string? Kubeconfig, string? Context, string? Namespace);

/// <summary>A Kubernetes cluster, through KubernetesClient. Nothing of the domain.</summary>
public sealed class KubernetesCluster : IDisposable
{
    /// <summary>How long one request may take, and how long connecting.</summary>
    private static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);

    private readonly ClusterAddress address;
    private readonly Lock gate = new();
    private readonly ConcurrentBag<k8s.Kubernetes> former = [];
    private k8s.Kubernetes client;

    private KubernetesCluster(ClusterAddress address, KubernetesClientConfiguration configuration)
    {
        this.address = address;
        client = new k8s.Kubernetes(configuration);
        Namespace = address.Namespace ?? configuration.Namespace ?? "default";
        Server = configuration.Host;
        Description = $"{configuration.CurrentContext ?? "in-cluster"} ({configuration.Host})";
        Kubectl = new KubectlCommand(address.Kubeconfig, configuration.CurrentContext, Namespace);
    }

    /// <summary>The client; another one after the credentials were read anew.</summary>
    public k8s.Kubernetes Client => Volatile.Read(ref client);

    /// <summary>The namespace in which we work.</summary>
    public string Namespace { get; }

    /// <summary>Context and server, for messages.</summary>
    public string Description { get; }

    /// <summary>For lines that people type.</summary>
    public KubectlCommand Kubectl { get; }

    /// <summary>The API server's URL.</summary>
    public string Server { get; }

    /// <summary>Reads the configuration as kubectl does; connects to nothing yet, but runs a credential plugin where the configuration names one.</summary>
    /// <exception cref="BadInputException">There is no configuration, it does not parse, or it has no such context.</exception>
    public static KubernetesCluster Connect(ClusterAddress address) => new(address, Configuration(address));

    /// <summary>Asks the API. A login that has expired is renewed once: token files and plugins are read and run anew.</summary>
    /// <param name="act">What is asked, for messages.</param>
    /// <param name="call">Asks; called again with another client where the login had expired.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <exception cref="KubernetesApiException">It failed; the message says how, and what to do.</exception>
    public async Task<T> CallAsync<T>(ApiAct act, Func<k8s.Kubernetes, CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        var used = Client;
        try
        {
            return await call(used, cancellation);
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested && ApiFailures.IsOne(failure))
        {
            if (ApiFailures.KindOf(failure) != ApiFailureKind.Unauthorized)
            {
                throw ApiFailures.Explain(this, act, failure);
            }
        }

        try
        {
            Renew(used);
            return await call(Client, cancellation);
        }
        catch (BadInputException unusable)
        {
            // A login that cannot be renewed is a matter of the API to whoever called it; not of what was typed.
            throw new KubernetesApiException(ApiFailureKind.Unauthorized, unusable.What, unusable.Why, unusable.Next, unusable);
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested && ApiFailures.IsOne(failure))
        {
            throw ApiFailures.Explain(this, act, failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Client.Dispose();
        while (former.TryTake(out var one))
        {
            one.Dispose();
        }
    }

    /// <summary>Another client with the configuration as it is now. The old one may be in use by others, and is kept until the end.</summary>
    private void Renew(k8s.Kubernetes used)
    {
        lock (gate)
        {
            if (ReferenceEquals(used, client))
            {
                former.Add(used);
                Volatile.Write(ref client, new k8s.Kubernetes(Configuration(address)));
            }
        }
    }

    private static KubernetesClientConfiguration Configuration(ClusterAddress address)
    {
        var configuration = Kubeconfig.Read(address.Kubeconfig, address.Context);
        configuration.HttpClientTimeout = RequestPatience;
        configuration.FirstMessageHandlerSetup = handler =>
        {
            // A followed log may be silent for an hour: a server that went away without a word is noticed by these.
            handler.ConnectTimeout = ConnectPatience;
            handler.KeepAlivePingDelay = TimeSpan.FromSeconds(15);
            handler.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
        };
        return configuration;
    }
}
