using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Outcomes;
using k8s.Authentication;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Clusters;

public sealed class KubeconfigTests : IDisposable
{
    private readonly Servers.TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Several_files_are_merged_as_kubectl_does_the_first_counts_and_one_may_be_absent()
    {
        var one = Write("one", "current-context: a\nclusters: [{name: c, cluster: {server: 'https://one:6443'}}]\ncontexts: [{name: a, context: {cluster: c, user: u, namespace: n1}}]");
        var two = Write("two", "current-context: b\nclusters: [{name: c, cluster: {server: 'https://two:6443'}}]\ncontexts: [{name: b, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: t2}}]");

        var both = Kubeconfig.Read(string.Join(Path.PathSeparator, Path.Combine(folder.Path, "absent"), one, two), context: null);
        var named = Kubeconfig.Read(string.Join(Path.PathSeparator, one, two), "b");

        (both.CurrentContext, both.Host, both.Namespace, both.AccessToken).ShouldBe(("a", "https://one:6443", "n1", "t2"));
        named.CurrentContext.ShouldBe("b");
    }

    [Fact]
    public async Task A_token_file_is_read_beside_its_kubeconfig_and_overrules_a_token()
    {
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "token"), "from-the-file\n");
        var file = Write("one", "current-context: a\nclusters: [{name: c, cluster: {server: 'https://one:6443'}}]\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {tokenFile: token, token: other}}]");

        var configuration = Kubeconfig.Read(file, null);

        configuration.TokenProvider.ShouldBeOfType<TokenFileAuth>();
        (await configuration.TokenProvider.GetAuthenticationHeaderAsync(CancellationToken.None)).Parameter.ShouldBe("from-the-file");
    }

    [Fact]
    public void One_line_of_JSON_is_read_as_well_since_some_CI_hosts_keep_no_more_lines_in_a_secret()
    {
        var file = Path.Combine(folder.Path, "json");
        File.WriteAllText(file, """{"kind":"Config","apiVersion":"v1","preferences":{},"clusters":[{"name":"c","cluster":{"server":"https://one:6443"}}],"users":[{"name":"u","user":{"token":"t:1"}}],"contexts":[{"name":"a","context":{"cluster":"c","user":"u","namespace":"n"}}],"current-context":"a"}""");

        var configuration = Kubeconfig.Read(file, null);

        (configuration.CurrentContext, configuration.Host, configuration.Namespace, configuration.AccessToken).ShouldBe(("a", "https://one:6443", "n", "t:1"));
    }

    [Theory]
    [InlineData("current-context: gone\ncontexts: [{name: a, context: {cluster: c, user: u}}]", "there is no context \"gone\"; there are a")]
    [InlineData("contexts: [{name: a, context: {cluster: c, user: u}}]", "it has no current context; there are a")]
    [InlineData("current-context: a\nclusters: [{name: c, cluster: {server: 'https://one:6443'}}]\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: t, as: admin}}]", "impersonates \"admin\"")]
    [InlineData("current-context: [", "")]
    public void What_is_wrong_with_a_configuration_is_said(string text, string why)
    {
        var bad = Should.Throw<BadInputException>(() => Kubeconfig.Read(Write("bad", text), null));

        bad.What.ShouldBe("There is no usable Kubernetes configuration.");
        bad.Why.ShouldContain(why);
        bad.Next.ShouldContain("--kubeconfig");
    }

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Should.Throw<BadInputException>(() => Kubeconfig.Read("/no/such/kubeconfig", null)).Why.ShouldContain("/no/such/kubeconfig");

    private string Write(string name, string text)
    {
        var file = Path.Combine(folder.Path, name);
        File.WriteAllText(file, "apiVersion: v1\nkind: Config\n" + text + "\n");
        return file;
    }
}
