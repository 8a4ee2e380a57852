using Aragora.Runbook.Adapters.Kubernetes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Clusters;

public sealed class KubectlCommandTests
{
    [Fact]
    public void A_line_leads_to_its_cluster_and_namespace_whatever_the_current_context_is()
    {
        var kubectl = new KubectlCommand("/home/a/kube config", "arn:aws:eks:eu-central-1:1:cluster/shop", "shop");

        kubectl.Line("get pods").ShouldBe("kubectl --kubeconfig '/home/a/kube config' --context arn:aws:eks:eu-central-1:1:cluster/shop --namespace shop get pods");
        kubectl.ClusterLine("get nodes").ShouldBe("kubectl --kubeconfig '/home/a/kube config' --context arn:aws:eks:eu-central-1:1:cluster/shop get nodes");
    }

    [Fact]
    public void Several_files_go_where_kubectl_takes_them_and_a_pod_of_the_cluster_has_neither_file_nor_context()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the separator there wants quotes");
        var files = $"/a{Path.PathSeparator}/b";
        new KubectlCommand(files, "lab", "shop").Of("flux", "resume kustomization apps").ShouldBe($"KUBECONFIG={files} flux --context lab resume kustomization apps");
        new KubectlCommand(null, null, "shop").Line("get pods").ShouldBe("kubectl --namespace shop get pods");
    }
}
