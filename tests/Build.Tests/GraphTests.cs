using Shouldly;
using Xunit;

namespace BuildTests;

public sealed class GraphTests
{
    private const string Health = "--production-health-url http://127.0.0.1:1/health";
    private const string Nowhere = "postgresql://u:hunter2-secret@127.0.0.1:1/d";

    [Fact]
    public async Task MigrateProduction_runs_the_runbook_in_its_order()
    {
        var host = new HostProcess("graph");

        var result = await host.RunAsync("MigrateProduction", ("STAGING_DATABASE_URL", Nowhere), ("PRODUCTION_DATABASE_URL", Nowhere + "2"));

        HostProcess.Summary(result).Select(row => row.Target).ShouldBe(["Preflight", "Backup", "VerifyBackup", "MigrateStaging", "MigrateProduction", "SmokeTest", "HealthCheck"]);
    }

    [Fact]
    public async Task Rollback_stands_alone_and_is_verified()
    {
        var host = new HostProcess("graph");

        var result = await host.RunAsync($"Rollback --target-environment Production --revision -1 {Health}", ("PRODUCTION_DATABASE_URL", Nowhere));

        HostProcess.Summary(result).Select(row => row.Target).ShouldBe(["Rollback", "SmokeTest", "HealthCheck"]);
        result.ExitCode.ShouldBe(2);
    }

    [Fact]
    public async Task A_database_that_is_down_is_named_without_its_password()
    {
        var host = new HostProcess("down");

        var result = await host.RunAsync($"Rollback --target-environment Production --revision -1 {Health}", ("PRODUCTION_DATABASE_URL", Nowhere));

        (result.Output + result.Error).ShouldContain("nothing listens there");
        Everything(host, result.Output + result.Error).ShouldNotContain("hunter2-secret");
    }

    [Fact]
    public async Task A_rollback_that_could_not_be_verified_is_refused_before_it_moves_anything()
    {
        var host = new HostProcess("unverifiable");

        var result = await host.RunAsync("Rollback --target-environment Production --revision -1", ("PRODUCTION_DATABASE_URL", Nowhere));

        result.ExitCode.ShouldBe(3);
        result.Output.ShouldContain("repeat the command with --production-health-url");
    }

    [Theory]
    [InlineData("MigrateProducton", "Did you mean MigrateProduction?")]
    [InlineData("MigrateProduction --frsh", "Did you mean --fresh?")]
    [InlineData("Rollback --target-environment Prod", "Staging|Production")]
    [InlineData("MigrateProduction --lock-timeout soon", "500ms|5s|10min|24h")]
    [InlineData("Rollback --production-application pod/api", "deployment/NAME|statefulset/NAME|compose/SERVICE")]
    [InlineData("Rollback --production-application deployment/api,compose/--rm", "is no name of a service")]
    [InlineData("StartApplication --application-timeout soon", "500ms|5s|10min|24h")]
    [InlineData("MigrateProduction --attest VerifiedBackup", "TeamNotified|DashboardsOpen")]
    [InlineData("MigrateProduction --attest TeamNotified, DashboardsOpen", "--attest TeamNotified,DashboardsOpen")]
    [InlineData("MigrateProduction --attest", "has no value")]
    [InlineData("MigrateProduction --override VerifyBackup --because x", "VerifiedBackup|StagingMigrated|")]
    [InlineData("MigrateProduction --override VerifiedBackup", "--override is given without --because")]
    [InlineData("MigrateProduction --override VerifiedBackup --because", "--because has no value")]
    [InlineData("MigrateProduction --because x", "--because is given without --override")]
    [InlineData("Rollback --revision -1 --override VerifiedBackup --because x", "--override does nothing here")]
    public async Task Wrong_input_ends_with_2_before_anything_is_touched(string arguments, string expected)
    {
        var host = new HostProcess("input");

        var result = await host.RunAsync(arguments);

        result.ExitCode.ShouldBe(2);
        (result.Output + result.Error).ShouldContain(expected);
        Directory.Exists(Path.Combine(host.Root, "artifacts")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("SKIP", "")]
    [InlineData("CONTINUE", "true")]
    [InlineData("REVISION", "main")]
    [InlineData("STRATEGY", "Downgrade")]
    [InlineData("ACCEPT_DATA_LOSS", "true")]
    [InlineData("NUKE_TARGET_ENVIRONMENT", "Staging")]
    [InlineData("ATTEST", "TeamNotified")]
    [InlineData("OVERRIDE", "VerifiedBackup")]
    [InlineData("BECAUSE", "x")]
    public async Task Dangerous_parameters_from_the_surroundings_are_refused_by_name(string name, string value)
    {
        var host = new HostProcess("surroundings");

        var result = await host.RunAsync("MigrateProduction", (name, value));

        result.ExitCode.ShouldBe(2);
        (result.Output + result.Error).ShouldContain($"The environment variable {name} ");
    }

    [Fact]
    public async Task A_maintenance_window_that_cannot_be_read_is_refused_before_anything_is_touched()
    {
        var host = new HostProcess("window");

        var result = await host.RunAsync("MigrateProduction", ("MAINTENANCE_WINDOW", "Sun 02:00-04:00 Europe/Berln"));

        result.ExitCode.ShouldBe(2);
        (result.Output + result.Error).ShouldContain("did you mean Europe/Berlin?");
        Directory.Exists(Path.Combine(host.Root, "artifacts")).ShouldBeFalse();
    }

    [Fact]
    public async Task One_database_without_the_other_is_refused()
    {
        var host = new HostProcess("half");

        var result = await host.RunAsync("MigrateProduction", ("PRODUCTION_DATABASE_URL", Nowhere));

        result.ExitCode.ShouldBe(2);
        (result.Output + result.Error).ShouldContain("STAGING_DATABASE_URL");
    }

    [Fact]
    public async Task Contacts_needs_nothing()
    {
        var host = new HostProcess("contacts");

        var result = await host.RunAsync("Contacts");

        result.ExitCode.ShouldBe(0);
        result.Output.ShouldContain("dba-oncall@company.com");
    }

    private static string Everything(HostProcess host, string output) =>
        output + string.Concat(Directory.EnumerateFiles(host.Root, "*", SearchOption.AllDirectories).Select(File.ReadAllText));
}
