using Aragora.Runbook.Outcomes;
using k8s;
using k8s.Authentication;
using k8s.Exceptions;
using k8s.KubeConfigModels;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>kubectl's configuration, read as kubectl reads it.</summary>
/// <remarks>
/// The SDK reads several files only from the environment, takes paths in all of them as relative to the first, and knows neither <c>tokenFile</c> nor that a file of the list
/// may be absent (kubernetes.io, "Organizing Cluster Access Using kubeconfig Files"). An impersonation (<c>as</c>) it would pass over in silence: that is refused.
/// </remarks>
internal static class Kubeconfig
{
    /// <summary>Reads it.</summary>
    /// <param name="files">One file, or several with the system's path separator; null for kubectl's default, else the cluster that this process runs in.</param>
    /// <param name="context">The context; null for the current one.</param>
    /// <exception cref="BadInputException">There is none, it does not parse, or it has no such context.</exception>
    public static KubernetesClientConfiguration Read(string? files, string? context)
    {
        try
        {
            if (string.IsNullOrWhiteSpace(files) && !File.Exists(KubernetesClientConfiguration.KubeConfigDefaultLocation))
            {
                return KubernetesClientConfiguration.IsInCluster()
                    ? KubernetesClientConfiguration.InClusterConfig()
                    : throw new KubeConfigException($"there is no {KubernetesClientConfiguration.KubeConfigDefaultLocation}, KUBECONFIG is not set, and this is not a pod of a cluster");
            }

            var named = string.IsNullOrWhiteSpace(files)
                ? [KubernetesClientConfiguration.KubeConfigDefaultLocation]
                : files.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(file => file.Trim('"'));
            return Build([.. named], context);
        }
        catch (Exception unusable) when (unusable is not BadInputException)
        {
            // The SDK throws whatever its parts do: of YAML, of Base64, of certificates, of a plugin, and a plain Exception for what it does not support.
            throw new BadInputException(
                "There is no usable Kubernetes configuration.",
                unusable.Message.Split('\n')[0],
                "kubectl config get-contexts   shows what there is; name the file with --kubeconfig, the context with --staging-kubernetes-context or --production-kubernetes-context",
                unusable);
        }
    }

    private static KubernetesClientConfiguration Build(IReadOnlyList<string> files, string? context)
    {
        var there = files.Where(File.Exists).Select(KubeconfigFile.Read).ToList();
        if (there.Count == 0)
        {
            throw new KubeConfigException($"there is no {string.Join(" and no ", files)}");
        }

        var merged = new K8SConfiguration
        {
            ApiVersion = "v1",
            Kind = "Config",
            CurrentContext = there.Select(file => file.Content.CurrentContext).FirstOrDefault(current => !string.IsNullOrEmpty(current)),
            Clusters = First(there.SelectMany(file => file.Content.Clusters ?? []), cluster => cluster.Name),
            Contexts = First(there.SelectMany(file => file.Content.Contexts ?? []), one => one.Name),
            Users = First(there.SelectMany(file => file.Content.Users ?? []), user => user.Name),
        };
        var chosen = context ?? merged.CurrentContext;
        var names = string.Join(", ", merged.Contexts.Select(one => one.Name));
        var details = merged.Contexts.FirstOrDefault(one => one.Name == chosen)?.ContextDetails
            ?? throw new KubeConfigException(chosen is null ? $"it has no current context; there are {names}" : $"there is no context \"{chosen}\"; there are {names}");
        var tokenFile = there.Where(file => file.Content.Users?.Any(user => user.Name == details.User) == true).Select(file => file.TokenFiles.GetValueOrDefault(details.User)).FirstOrDefault();
        RequireNoImpersonation(merged.Users.FirstOrDefault(user => user.Name == details.User)?.UserCredentials, details.User);
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigObject(merged, chosen);
        if (tokenFile is not null)
        {
            configuration.AccessToken = null;
            configuration.TokenProvider = new TokenFileAuth(tokenFile);
        }

        return configuration;
    }

    private static void RequireNoImpersonation(UserCredentials? user, string name)
    {
        if (!string.IsNullOrEmpty(user?.Impersonate))
        {
            throw new KubeConfigException($"user \"{name}\" impersonates \"{user.Impersonate}\" (as:), which is not supported here: use a context whose user is the one that is meant");
        }
    }

    /// <summary>Where two files define one name, the first counts.</summary>
    private static List<T> First<T>(IEnumerable<T> all, Func<T, string> name) => [.. all.DistinctBy(name, StringComparer.Ordinal)];
}

/// <summary>One file, its paths made absolute.</summary>
/// <param name="Content">What is in it.</param>
/// <param name="TokenFiles">The <c>tokenFile</c> of each user that has one; it overrules <c>token</c>, as with kubectl.</param>
internal sealed record KubeconfigFile(K8SConfiguration Content, IReadOnlyDictionary<string, string> TokenFiles)
{
    public static KubeconfigFile Read(string path)
    {
        var file = Path.GetFullPath(path);
        var text = File.ReadAllText(file);
        var content = KubernetesYaml.Deserialize<K8SConfiguration>(text) ?? new K8SConfiguration();
        var folder = Path.GetDirectoryName(file)!;
        foreach (var cluster in (content.Clusters ?? []).Where(cluster => cluster.ClusterEndpoint is not null))
        {
            cluster.ClusterEndpoint.CertificateAuthority = Absolute(folder, cluster.ClusterEndpoint.CertificateAuthority);
        }

        var tokenFiles = TokenFilesOf(text, folder);
        foreach (var user in content.Users ?? [])
        {
            // A user may be without any credentials but a token file, or without any at all.
            user.UserCredentials ??= new UserCredentials();
            user.UserCredentials.ClientCertificate = Absolute(folder, user.UserCredentials.ClientCertificate);
            user.UserCredentials.ClientKey = Absolute(folder, user.UserCredentials.ClientKey);
            if (tokenFiles.TryGetValue(user.Name, out var tokenFile))
            {
                user.UserCredentials.Token = File.ReadAllText(tokenFile).Trim();
            }

            if (user.UserCredentials.ExternalExecution is { Command: { } command } plugin && command.Contains('/', StringComparison.Ordinal))
            {
                plugin.Command = Absolute(folder, command);
            }
        }

        return new KubeconfigFile(content, tokenFiles);
    }

    private static Dictionary<string, string> TokenFilesOf(string text, string folder)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        if (KubernetesYaml.Deserialize<Dictionary<string, object?>>(text)?.GetValueOrDefault("users") is not IEnumerable<object> users)
        {
            return found;
        }

        foreach (var user in users.OfType<IDictionary<object, object>>())
        {
            if (user.TryGetValue("name", out var name) && user.TryGetValue("user", out var details) && details is IDictionary<object, object> known && known.TryGetValue("tokenFile", out var tokenFile) && tokenFile is string { Length: > 0 } path)
            {
                found[$"{name}"] = Absolute(folder, path)!;
            }
        }

        return found;
    }

    private static string? Absolute(string folder, string? path) => string.IsNullOrEmpty(path) ? path : Path.GetFullPath(path, folder);
}
