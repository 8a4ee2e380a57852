using System.Security.Cryptography;
using System.Text;
using Aragora.Runbook.Adapters.Docker;
using Aragora.Runbook.Tests.Servers;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Docker;

public sealed class EngineAddressTests : IDisposable
{
    private readonly TemporaryFolder home = new();

    public void Dispose() => home.Dispose();

    [Fact]
    public void DOCKER_HOST_goes_before_the_context_in_use_and_that_before_the_usual_socket()
    {
        Read().Host.ShouldBe(OperatingSystem.IsWindows() ? "npipe://./pipe/docker_engine" : "unix:///var/run/docker.sock");

        Context("rootless", "unix:///run/user/1000/docker.sock");
        Context("remote", "ssh://admin@build-host");
        File.WriteAllText(Path.Combine(home.Path, ".docker", "config.json"), """{ "currentContext": "rootless" }""");
        Read().ShouldSatisfyAllConditions(
            address => address.ToString().ShouldBe("unix:///run/user/1000/docker.sock (the context rootless)"),
            address => address.Uri!.LocalPath.ShouldBe("/run/user/1000/docker.sock"));
        Read(("DOCKER_CONTEXT", "remote")).Uri.ShouldBeNull();
        Read(("DOCKER_CONTEXT", "default")).Context.ShouldBeNull();
        Read(("DOCKER_HOST", "tcp://10.0.0.1:2375")).ShouldSatisfyAllConditions(
            address => address.IsLocal.ShouldBeFalse(),
            address => address.Uri.ShouldNotBeNull());
        Read(("DOCKER_HOST", "tcp://10.0.0.1:2376"), ("DOCKER_TLS_VERIFY", "1")).Uri.ShouldBeNull();
    }

    [Fact]
    public async Task An_engine_that_does_not_answer_says_why()
    {
        (await DockerEngine.ConnectAsync(new EngineAddress("unix:///nonexistent/docker.sock", "DOCKER_HOST"), CancellationToken.None)).ShouldSatisfyAllConditions(
            connection => connection.Engine.ShouldBeNull(),
            connection => connection.Denied.ShouldBeFalse(),
            connection => connection.Why.ShouldNotBeEmpty());
        (await DockerEngine.ConnectAsync(new EngineAddress("ssh://h", "DOCKER_HOST"), CancellationToken.None)).Why.ShouldContain("not over ssh");
    }

    private EngineAddress Read(params (string Name, string Value)[] variables) =>
        EngineAddress.Read(name => variables.Where(variable => variable.Name == name).Select(variable => variable.Value).FirstOrDefault(), home.Path);

    private void Context(string name, string host)
    {
        var folder = Path.Combine(home.Path, ".docker", "contexts", "meta", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name))));
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "meta.json"), $$$"""{ "Name": "{{{name}}}", "Endpoints": { "docker": { "Host": "{{{host}}}" } } }""");
    }
}
