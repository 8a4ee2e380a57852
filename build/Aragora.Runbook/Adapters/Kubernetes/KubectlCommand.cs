using Aragora.Runbook.Adapters.Processes;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>How people type a command of kubectl's so that it reaches this cluster and namespace, whatever their current context is.</summary>
/// <param name="Kubeconfig">The files that were named, as <c>KUBECONFIG</c> lists them; null where none was.</param>
/// <param name="Context">The context that is in use; null inside of a cluster, which has none.</param>
/// <param name="Namespace">The namespace.</param>
public sealed record KubectlCommand(string? Kubeconfig, string? Context, string Namespace)
{
    /// <summary>A command in the namespace.</summary>
    public string Line(string arguments) => ClusterLine($"--namespace {Namespace} {arguments}");

    /// <summary>A command on what lies in no namespace, such as nodes.</summary>
    public string ClusterLine(string arguments) => Of("kubectl", arguments);

    /// <summary>A command of another program that takes kubectl's switches, such as <c>flux</c>.</summary>
    public string Of(string program, string arguments)
    {
        var context = Context is null ? "" : $" --context {Command.Quoted(Context)}";

        // A list of files is taken from the variable alone.
        return string.IsNullOrWhiteSpace(Kubeconfig) ? $"{program}{context} {arguments}"
            : Kubeconfig.Contains(Path.PathSeparator, StringComparison.Ordinal) ? $"KUBECONFIG={Command.Quoted(Kubeconfig)} {program}{context} {arguments}"
            : $"{program} --kubeconfig {Command.Quoted(Kubeconfig)}{context} {arguments}";
    }
}
