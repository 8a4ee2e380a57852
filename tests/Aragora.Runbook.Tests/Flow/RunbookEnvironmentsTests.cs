using Aragora.Runbook.Environments;
using Aragora.Runbook.Flow;
using Aragora.Runbook.Outcomes;
using Serilog;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Flow;

public sealed class RunbookEnvironmentsTests(RealServer server)
{
    private static readonly ILogger Log = new LoggerConfiguration().CreateLogger();

    [Fact]
    public async Task Staging_that_is_production_is_refused_whatever_it_is_wanted_for()
    {
        var production = await server.NewDatabaseAsync();
        var staging = production with { Name = TargetEnvironment.Staging, Database = production.Database with { Host = "localhost" } };

        var refusal = await Should.ThrowAsync<RefusedException>(() => Of(staging, production).GetAsync(TargetEnvironment.Staging, CancellationToken.None));

        refusal.Message.ShouldContain("not two databases");
    }

    [Fact]
    public async Task Two_databases_are_two_environments()
    {
        var production = await server.NewDatabaseAsync();
        var staging = await server.NewDatabaseAsync(TargetEnvironment.Staging);

        (await Of(staging, production).GetAsync(TargetEnvironment.Staging, CancellationToken.None)).ShouldBe(staging);
    }

    [Fact]
    public async Task Staging_is_had_also_while_production_is_down()
    {
        var production = await server.NewDatabaseAsync();
        var staging = await server.NewDatabaseAsync(TargetEnvironment.Staging);

        (await Of(staging, production with { Database = production.Database with { Port = 1 } }).GetAsync(TargetEnvironment.Staging, CancellationToken.None)).ShouldBe(staging);
    }

    [Fact]
    public async Task One_environment_named_without_the_other_says_which_variable_is_missing()
    {
        var production = await server.NewDatabaseAsync();

        var refusal = await Should.ThrowAsync<BadInputException>(() => Of(production).GetAsync(TargetEnvironment.Staging, CancellationToken.None));

        refusal.Message.ShouldContain("STAGING_DATABASE_URL");
    }

    /// <summary>With databases named, the local stack is never asked.</summary>
    private static RunbookEnvironments Of(params DatabaseEnvironment[] named) => new(named, null!, Log);
}
