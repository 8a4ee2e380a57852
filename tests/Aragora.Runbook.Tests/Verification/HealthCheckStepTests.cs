using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Verification;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Verification;

public sealed class HealthCheckStepTests(RealServer server)
{
    private static readonly HealthCheckOptions Quick = new() { Interval = TimeSpan.FromMilliseconds(20), Deadline = TimeSpan.FromMinutes(1), RequestTimeout = TimeSpan.FromSeconds(20) };

    [Fact]
    public async Task An_application_that_starts_is_waited_for_and_becomes_evidence()
    {
        await using var application = new SmallHttpServer(request => request < 4 ? SmallHttpServer.Response(503, "starting") : SmallHttpServer.Response(200, """{"status":"ok","version":"9"}"""));
        var environment = await server.NewDatabaseAsync(TargetEnvironment.Staging) with { HealthUrl = application.Url };
        var run = RealServer.NewRun();

        var facts = await new HealthCheckStep(run).RunAsync(environment, Quick with { TreeHash = "tree" }, CancellationToken.None);

        facts.Attempts.ShouldBe(4);
        facts.Version.ShouldBe("9");
        facts.Url.ShouldBe(application.Url);
        var evidence = run.Evidence.ReadAll().Accepted.ShouldHaveSingleItem();
        evidence.Kind.ShouldBe(EvidenceKinds.HealthCheck);
        evidence.Environment.ShouldBe(TargetEnvironment.Staging);
        evidence.TreeHash.ShouldBe("tree");
        evidence.FactsAs<HealthFacts>().ShouldBe(facts);
    }

    [Fact]
    public async Task One_that_stays_unwell_fails_at_the_deadline_with_its_complaint_and_leaves_a_red_record()
    {
        await using var application = SmallHttpServer.Always(503, """{"status":"down","detail":"relation users does not exist"}""");
        var environment = await server.NewDatabaseAsync() with { HealthUrl = application.Url };
        var run = RealServer.NewRun();

        var failure = await Should.ThrowAsync<FailedCleanException>(() => new HealthCheckStep(run).RunAsync(environment, Quick with { Deadline = TimeSpan.FromMilliseconds(300) }, CancellationToken.None));

        failure.Message.ShouldContain($"production is not healthy: {application.Url}");
        failure.Message.ShouldContain("HTTP 503");
        failure.Message.ShouldContain("relation users does not exist");
        failure.Next.ShouldContain("./build.sh HealthCheck --target-environment production");
        var red = run.Evidence.ReadAll().Accepted.ShouldHaveSingleItem();
        red.Green.ShouldBeFalse();
        red.Failure!.ShouldContain("HTTP 503");
        red.FactsAs<HealthFacts>().Status.ShouldBe(503);
        red.Database.SystemIdentifier.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task What_waiting_does_not_change_fails_after_a_few_tries()
    {
        await using var application = SmallHttpServer.Always(404, "nope");
        var environment = await server.NewDatabaseAsync() with { HealthUrl = application.Url };

        var failure = await Should.ThrowAsync<NeedsPersonException>(() => new HealthCheckStep(RealServer.NewRun()).RunAsync(
            environment, Quick with { Deadline = TimeSpan.FromHours(1), PermanentTries = 3, AfterFailure = AfterFailure.NeedsPerson }, CancellationToken.None));

        application.Heads.Count.ShouldBe(3);
        failure.Why.ShouldContain("waiting does not change this");
        failure.Next.ShouldContain("./build.sh Rollback --target-environment production --strategy Downgrade --revision -1");
    }

    [Fact]
    public async Task A_path_that_is_missing_for_a_moment_does_not_fail()
    {
        await using var application = new SmallHttpServer(request => request switch { 1 or 2 or 4 or 5 => SmallHttpServer.Response(404, ""), 3 => SmallHttpServer.Response(502, ""), _ => SmallHttpServer.Response(200, "ok") });
        var environment = await server.NewDatabaseAsync() with { HealthUrl = application.Url };

        (await new HealthCheckStep(RealServer.NewRun()).RunAsync(environment, Quick with { PermanentTries = 3 }, CancellationToken.None)).Attempts.ShouldBe(6);
    }

    [Theory]
    [InlineData(TargetEnvironment.Staging, "--staging-health-url")]
    [InlineData(TargetEnvironment.Production, "--production-health-url")]
    public async Task Without_a_health_URL_it_refuses_and_says_how_to_give_one(TargetEnvironment name, string option)
    {
        var environment = new DatabaseEnvironment { Name = name, Database = server.Server.Url };

        (await Should.ThrowAsync<RefusedException>(() => new HealthCheckStep(RealServer.NewRun()).RunAsync(environment, Quick, CancellationToken.None))).Next.ShouldContain(option);
    }

    [Theory]
    [InlineData("ftp://host/health")]
    [InlineData("/health")]
    public async Task A_URL_of_another_kind_is_bad_input(string url)
    {
        var environment = new DatabaseEnvironment { Name = TargetEnvironment.Staging, Database = server.Server.Url, HealthUrl = new Uri(url, UriKind.RelativeOrAbsolute) };

        await Should.ThrowAsync<BadInputException>(() => new HealthCheckStep(RealServer.NewRun()).RunAsync(environment, Quick, CancellationToken.None));
    }

    [Fact]
    public async Task Cancelling_ends_it_at_once()
    {
        using var cancel = new CancellationTokenSource();
        await using var application = new SmallHttpServer(_ =>
        {
            cancel.Cancel();
            return null;
        });
        var environment = await server.NewDatabaseAsync() with { HealthUrl = application.Url };

        await Should.ThrowAsync<OperationCanceledException>(() => new HealthCheckStep(RealServer.NewRun()).RunAsync(environment, Quick, cancel.Token));
    }
}
