using Aragora.Runbook.Applications;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Tests.Verification;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Applications;

/// <summary>Health endpoints that really answer, over HTTP.</summary>
public sealed class SchemaFitTests
{
    private readonly List<string> lines = [];

    [Theory]
    [InlineData("""{"status": "ok", "revisions": ["r2000", "r1000"]}""", 200)]
    [InlineData("""{"status": "unhealthy", "schema_revisions": ["r1000"]}""", 503)]
    public async Task An_application_that_names_the_revision_may_run_on_it(string body, int status)
    {
        await RequireAsync(body, status, ["r1000"]);

        Log.ShouldContain("After this, aragora/api:2.4 runs on schema revision r1000");
        Log.ShouldContain("It works there: http://127.0.0.1:");
    }

    [Fact]
    public async Task An_application_that_does_not_name_it_refuses_with_the_line_that_deploys_another()
    {
        var refusal = await Should.ThrowAsync<RefusedException>(() => RequireAsync("""{"status": "ok", "revisions": ["r2000"]}""", 200, ["r1000"]));

        refusal.What.ShouldBe("aragora/api:2.4 does not work with schema revision r1000.");
        refusal.Why.ShouldContain("/health says that it works with r2000; nothing was changed");
        refusal.Next.ShouldBe("deploy the application that works with r1000 first: kubectl --namespace shop set image deployment/api api=IMAGE; or, where that is not true, the same line with --application-revisions r1000");
    }

    [Fact]
    public async Task What_the_person_says_counts_over_the_endpoint()
    {
        await RequireAsync("""{"status": "ok", "revisions": ["r2000"]}""", 200, ["r1000"], said: ["r1000"]);

        await Should.ThrowAsync<RefusedException>(() => RequireAsync("""{"status": "ok", "revisions": ["r1000"]}""", 200, ["r1000"], said: ["r2000"]));
        await Should.ThrowAsync<RefusedException>(() => RequireAsync("""{"status": "ok", "revisions": ["r1000"]}""", 200, [], said: null)).ContinueWith(refusal => refusal.Result.What.ShouldContain("schema revision base"), TaskScheduler.Default);
    }

    [Theory]
    [InlineData("""{"status": "ok"}""", 200, "does not say with which revisions it works (docs/application.md)")]
    [InlineData("""{"status": "ok", "revisions": "r2000"}""", 200, "does not say with which revisions it works")]
    [InlineData("""{"status": "ok", "revisions": []}""", 200, "does not say with which revisions it works")]
    [InlineData("no", 503, "does not say it: HTTP 503")]
    public async Task One_that_says_nothing_is_no_refusal(string body, int status, string told)
    {
        await RequireAsync(body, status, ["r1000"]);

        Log.ShouldContain("Whether it works there is not known: http://127.0.0.1:");
        Log.ShouldContain(told);
    }

    [Fact]
    public async Task Neither_is_one_that_is_down_nor_a_cluster_that_does_not_answer()
    {
        var run = RealServer.NewRun(LogLines.To(lines));
        var environment = Environment(new Uri("http://127.0.0.1:1/health"));

        await new SchemaFit(run, new ApplicationOptions(), _ => throw new BadInputException("The cluster is away.", "", "")).RequireAsync(environment, ["r1000"], CancellationToken.None);
        await new SchemaFit(run, new ApplicationOptions(), target => new ApplicationControl(run, target, [], new ApplicationOptions())).RequireAsync(environment with { HealthUrl = null }, ["r1000"], CancellationToken.None);

        Log.ShouldContain("Which application runs cannot be seen: The cluster is away.");
        Log.ShouldContain("After this, the application of production runs on schema revision r1000");
        Log.ShouldContain("nothing listens");
        Log.ShouldContain("it has no health URL to ask");
    }

    private string Log => string.Join('\n', lines);

    private async Task RequireAsync(string body, int status, IReadOnlyList<string> target, IReadOnlyList<string>? said = null)
    {
        await using var health = SmallHttpServer.Always(status, body);
        var run = RealServer.NewRun(LogLines.To(lines));
        var options = new ApplicationOptions { Revisions = said };
        await new SchemaFit(run, options, environment => new ApplicationControl(run, environment, [new KnownPart()], options)).RequireAsync(Environment(health.Url), target, CancellationToken.None);
    }

    private static DatabaseEnvironment Environment(Uri health) => new() { Name = TargetEnvironment.Production, Database = PostgresUrl.Parse("postgresql://u@127.0.0.1:1/d", "PRODUCTION_DATABASE_URL"), HealthUrl = health };

    /// <summary>A part of which nothing is asked but what it runs.</summary>
    private sealed class KnownPart : IApplicationPart
    {
        public string Name => "deployment/api";

        public string StartingCommand(int replicas) => throw new NotSupportedException();

        public Task<PartSeen> LookAsync(CancellationToken cancellation) => Task.FromResult(new PartSeen(Name, 2, ["aragora/api:2.4"], [], null, [], "kubectl --namespace shop set image deployment/api api=IMAGE"));

        public Task RequireStoppableAsync(CancellationToken cancellation) => throw new NotSupportedException();

        public Task<int> StopAsync(PartSeen seen, string runId, DateTimeOffset at, CancellationToken cancellation) => throw new NotSupportedException();

        public Task LeaveAsync(string runId, string why, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<PartRemains> RemainsAsync(CancellationToken cancellation) => throw new NotSupportedException();

        public Task<string?> StartAsync(string runId, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<PartRollout> RolloutAsync(CancellationToken cancellation) => throw new NotSupportedException();
    }
}
