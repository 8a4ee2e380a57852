using Aragora.Runbook.Adapters.Kubernetes;
using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Guards;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Clusters;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations.Kubernetes;

/// <summary>What happens between this machine and the cluster while a Job is at work.</summary>
public sealed class FollowingTests(TestCluster cluster, RealServer server, ClusterDatabase database, ImageBuilder images) : IClassFixture<TestCluster>, IDisposable
{
    private const int Lines = 400;
    private const string Talks = "for i in range(400):\n    print(f'line {i}', flush=True)\n    time.sleep(0.02)\nop.execute('CREATE TABLE t1 (id int)')";
    private readonly Servers.TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task No_line_is_lost_or_repeated_when_streams_break()
    {
        var scenario = await NewAsync(Talks);
        await using var proxy = await ProxyAsync();
        using var through = cluster.Connect(await TestCluster.WriteKubeconfigAsync(folder.Path, "proxied", $"https://127.0.0.1:{proxy.Port}", user: null));
        var lines = new List<string>();

        var running = scenario.Runner(cluster: through).RunAsync(await RequestAsync(scenario), lines.Add, CancellationToken.None);
        for (var cuts = 1; cuts <= 5; cuts++)
        {
            await TestCluster.UntilAsync("more lines come", () => Task.FromResult(lines.Count > cuts * 60), running);
            proxy.Cut();
        }

        (await running).ExitCode.ShouldBe(0);
        Talked(lines).ShouldBe(Enumerable.Range(0, Lines).Select(i => $"line {i}"));
        proxy.Accepted.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task A_run_that_is_started_again_follows_the_job_from_its_first_line_and_starts_no_second()
    {
        var scenario = await NewAsync(Talks);
        var first = new List<string>();
        var abandoned = scenario.Runner().RunAsync(await RequestAsync(scenario), first.Add, CancellationToken.None);
        await TestCluster.UntilAsync("the first run sees lines", () => Task.FromResult(first.Count > 50), abandoned);

        var run = RealServer.NewRun();
        var runner = scenario.Runner(run);
        var found = (await runner.FindRunningAsync(scenario.Environment, CancellationToken.None))!;
        (found.RunId, found.Revision, found.Direction, found.ApplicationName).ShouldBe((scenario.Run.RunId, "r1000", MigrationDirection.Upgrade, MigrationSessions.NamePrefix + scenario.Run.RunId));
        var second = new List<string>();
        var followed = await runner.RunAsync(await RequestAsync(scenario, run) with { Following = found, ApplicationName = found.ApplicationName }, second.Add, CancellationToken.None);

        followed.ExitCode.ShouldBe(0);
        Talked(second).ShouldBe(Enumerable.Range(0, Lines).Select(i => $"line {i}"));
        (await scenario.JobsAsync()).Count(job => job.Spec.Template.Spec.Containers[0].Image == scenario.Image).ShouldBe(1);
        (await runner.FindRunningAsync(scenario.Environment, CancellationToken.None)).ShouldBeNull();
        await abandoned;
    }

    [Fact]
    public async Task The_migrator_follows_what_an_earlier_run_started()
    {
        var scenario = await NewAsync(Talks);
        var first = new List<string>();
        var abandoned = scenario.Runner().RunAsync(await RequestAsync(scenario), first.Add, CancellationToken.None);
        await TestCluster.UntilAsync("the first run sees lines", () => Task.FromResult(first.Count > 5), abandoned);

        var result = await scenario.Migrator(RealServer.NewRun()).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", (_, _, _) => throw new InvalidOperationException("no gate"), CancellationToken.None);

        result.After.Revisions.ShouldBe(["r1000"]);
        (await scenario.JobsAsync()).Count(job => job.Spec.Template.Spec.Containers[0].Image == scenario.Image).ShouldBe(1);
        await abandoned;
    }

    [Fact]
    public async Task An_api_that_stays_away_leaves_the_job_at_work_and_says_how_to_follow_it()
    {
        var scenario = await NewAsync("print('at work', flush=True)\ntime.sleep(12)");
        await using var proxy = await ProxyAsync();
        using var through = cluster.Connect(await TestCluster.WriteKubeconfigAsync(folder.Path, "away", $"https://127.0.0.1:{proxy.Port}", user: null));
        var lines = new List<string>();
        var impatient = scenario.Options with { ApiPatience = TimeSpan.FromSeconds(3) };

        var migration = scenario.Migrator(runner: scenario.Runner(cluster: through, options: impatient)).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None);
        await AtWorkAsync(scenario, migration);
        proxy.IsAway = true;
        proxy.Cut();
        var lost = await Should.ThrowAsync<NeedsPersonException>(migration);

        lost.What.ShouldContain($"The Job aragora-migration-production-{scenario.Run.RunId} goes on");
        lost.What.ShouldContain($"The Kubernetes API at https://127.0.0.1:{proxy.Port}");
        lost.Next.ShouldContain($"logs -f job/aragora-migration-production-{scenario.Run.RunId}");

        // And the next run follows it to its end.
        proxy.IsAway = false;
        (await scenario.Migrator(RealServer.NewRun()).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None)).After.Revisions.ShouldBe(["r1000"]);
        (await scenario.JobsAsync()).Count(job => job.Spec.Template.Spec.Containers[0].Image == scenario.Image).ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_token_that_expires_midway_is_read_anew_and_where_that_does_not_help_the_job_goes_on(bool renewed)
    {
        var scenario = await NewAsync("print('at work', flush=True)\ntime.sleep(25)");
        var account = $"migrator-{(renewed ? "renewed" : "expired")}";
        var tokenFile = Path.Combine(folder.Path, "token");
        await cluster.RestrictedKubeconfigAsync(folder.Path, account, ClusterRights.Needed);
        var (token, bound) = await BoundTokenAsync(account);
        await File.WriteAllTextAsync(tokenFile, token);
        using var limited = cluster.Connect(await TestCluster.WriteKubeconfigAsync(folder.Path, account + "-file", server: null, $"{{tokenFile: {tokenFile}}}"));
        var impatient = scenario.Options with { ApiPatience = TimeSpan.FromSeconds(3) };

        var migration = scenario.Migrator(runner: scenario.Runner(cluster: limited, options: impatient)).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, CancellationToken.None);
        await AtWorkAsync(scenario, migration);
        if (renewed)
        {
            await File.WriteAllTextAsync(tokenFile, await cluster.TokenOfAsync(account));
        }

        await cluster.Cluster.Client.CoreV1.DeleteNamespacedSecretAsync(bound, cluster.Namespace);
        if (renewed)
        {
            (await migration).After.Revisions.ShouldBe(["r1000"]);
            return;
        }

        var expired = await Should.ThrowAsync<NeedsPersonException>(migration);
        expired.What.ShouldContain("does not accept the login");
        expired.What.ShouldContain("goes on, and nobody here sees it");
        expired.Why.ShouldContain("has expired");
        expired.Message.ShouldNotContain(token);
    }

    [Fact]
    public async Task A_cancelled_migration_rolls_back_and_its_job_and_pod_are_gone()
    {
        var scenario = await NewAsync("op.execute('CREATE TABLE half (a int)')\nop.execute('SELECT pg_sleep(300)')");
        using var cancel = new CancellationTokenSource();
        var migration = scenario.MigrateAsync(cancel.Token);
        await AtWorkAsync(scenario, migration, "query LIKE '%pg_sleep(300)%'");

        await cancel.CancelAsync();
        var told = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => migration);

        told.Message.ShouldContain("migrate production was cancelled. The database is unchanged, at base");
        (await new MigrationSessions(scenario.Environment).ListAsync(CancellationToken.None)).ShouldBeEmpty();
        await using var lease = await new SingleFlight(RealServer.NewRun()).AcquireAsync(scenario.Environment, TimeSpan.Zero, CancellationToken.None);
    }

    [Fact]
    public async Task A_cancelled_migration_that_does_not_listen_is_deleted_with_its_pod()
    {
        var scenario = await NewAsync("op.execute('CREATE TABLE half (a int)')\ntime.sleep(300)");
        using var cancel = new CancellationTokenSource();
        var runner = scenario.Runner(options: scenario.Options with { RollbackPatience = TimeSpan.FromMilliseconds(500) });
        var migration = scenario.Migrator(runner: runner).MigrateAsync(scenario.Environment, await scenario.Tree.ReadAsync(), "head", gate: null, cancel.Token);
        await AtWorkAsync(scenario, migration, "query LIKE '%CREATE TABLE half%'");

        await cancel.CancelAsync();
        var told = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => migration);

        told.Message.ShouldContain("The database is unchanged, at base");
        (await scenario.JobsAsync()).ShouldNotContain(job => job.Metadata.Name.EndsWith(scenario.Run.RunId, StringComparison.Ordinal));
        (await new JobClient(cluster.Cluster).PodsAsync($"aragora-migration-production-{scenario.Run.RunId}", CancellationToken.None)).ShouldBeEmpty();
        (await new MigrationSessions(scenario.Environment).ListAsync(CancellationToken.None)).ShouldBeEmpty();
    }

    private static IEnumerable<string> Talked(IEnumerable<string> lines) => lines.Where(line => line.StartsWith("line ", StringComparison.Ordinal));

    private static async Task AtWorkAsync(ClusterScenario scenario, Task migration, string condition = "true")
    {
        await using var session = await PostgresSession.OpenAsync(scenario.Environment, "aragora-tests");
        await TestCluster.UntilAsync(
            "the migration's session is there",
            async () => await session.ScalarAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{MigrationSessions.NamePrefix}{scenario.Run.RunId}' AND ({condition})", CancellationToken.None) > 0,
            migration);
    }

    private static async Task<RunnerRequest> RequestAsync(ClusterScenario scenario, RunContext? run = null) =>
        new(scenario.Environment, MigrationDirection.Upgrade, "r1000", new LockBudget(), MigrationSessions.NamePrefix + (run ?? scenario.Run).RunId) { RunId = (run ?? scenario.Run).RunId, TreeHash = (await scenario.Tree.ReadAsync()).Hash };

    private Task<ClusterScenario> NewAsync(string upgrade) => ClusterScenario.NewAsync(cluster, server, database, images, tree => tree.Add("r1000", null, upgrade));

    private Task<CuttableProxy> ProxyAsync()
    {
        var api = new Uri(cluster.Cluster.Server);
        Assert.SkipUnless(api.IsLoopback, "the cluster's certificate may not be that of 127.0.0.1, where the proxy listens");
        return Task.FromResult(new CuttableProxy(api.Host, api.Port));
    }

    /// <summary>A token that is worth nothing from the moment its Secret is gone: tokens of ten minutes, the shortest there are, are too long for a test.</summary>
    private async Task<(string Token, string Secret)> BoundTokenAsync(string account)
    {
        var secret = await cluster.MakeSecretAsync($"bound-{account}", new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "b" });
        var request = new Authenticationv1TokenRequest
        {
            Spec = new V1TokenRequestSpec { Audiences = ["https://kubernetes.default.svc"], ExpirationSeconds = 3600, BoundObjectRef = new V1BoundObjectReference { ApiVersion = "v1", Kind = "Secret", Name = secret.Metadata.Name, Uid = secret.Metadata.Uid } },
        };
        return ((await cluster.Cluster.Client.CoreV1.CreateNamespacedServiceAccountTokenAsync(request, account, cluster.Namespace)).Status.Token, secret.Metadata.Name);
    }
}
