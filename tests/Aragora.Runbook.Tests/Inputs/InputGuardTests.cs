using Aragora.Runbook.Environments;
using Aragora.Runbook.Gates;
using Aragora.Runbook.Inputs;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Inputs;

public sealed class InputGuardTests
{
    private static readonly InputGuard Guard = new(
        [
            new ParameterDefinition("Revision", typeof(string), CommandLineOnly: true),
            new ParameterDefinition("Skip", typeof(string[]), CommandLineOnly: true),
            new ParameterDefinition("Target", typeof(string[]), CommandLineOnly: true),
            new ParameterDefinition("TargetEnvironment", typeof(TargetEnvironment?), CommandLineOnly: true),
            new ParameterDefinition("ProductionDatabaseUrl", typeof(string), Secret: true),
            new ParameterDefinition("ProductionHealthUrl", typeof(Uri)),
            new ParameterDefinition("BackupJobs", typeof(int?)),
            new ParameterDefinition("LockTimeout", typeof(Duration?)),
            new ParameterDefinition("Fresh", typeof(bool)),
            new ParameterDefinition("Attest", typeof(AttestableBox[]), CommandLineOnly: true) { Separator = "," },
            new ParameterDefinition("MaintenanceWindow", typeof(MaintenanceWindow)),
        ],
        ["MigrateProduction", "Rollback", "Status"]);

    [Theory]
    [InlineData("MigrateProduction")]
    [InlineData("migrate-production --fresh")]
    [InlineData("Rollback --revision -1 --target-environment production")]
    [InlineData("MigrateProduction --lock-timeout 5s --backup-jobs 4 --Fresh true --skip")]
    [InlineData("MigrateProduction --skip status")]
    [InlineData("MigrateProduction --attest TeamNotified,dashboardsopen")]
    [InlineData("MigrateProduction --attest TeamNotified DashboardsOpen")]
    public void What_is_right_passes(string line) => Should.NotThrow(() => Check(line));

    [Theory]
    [InlineData("MigrateProducton", "Did you mean MigrateProduction?")]
    [InlineData("Rollback --revison abc", "Did you mean --revision?")]
    [InlineData("Rollback --revision", "has no value")]
    [InlineData("Rollback --revision abc --revision def", "more than once")]
    [InlineData("Rollback --revision=abc", "write --revision abc")]
    [InlineData("Status --target-environment prod", "Staging|Production")]
    [InlineData("Status --target-environment 1", "Staging|Production")]
    [InlineData("MigrateProduction --lock-timeout 5", "500ms|5s|10min|24h")]
    [InlineData("MigrateProduction --lock-timeout -5", "500ms|5s|10min|24h")]
    [InlineData("MigrateProduction --backup-jobs many", "whole number")]
    [InlineData("MigrateProduction --production-health-url localhost", "https://host/path")]
    [InlineData("MigrateProduction --fresh Status", "true|false")]
    [InlineData("MigrateProduction --attest", "has no value")]
    [InlineData("MigrateProduction --attest VerifiedBackup", "\"VerifiedBackup\" is not TeamNotified|DashboardsOpen")]
    [InlineData("MigrateProduction --attest TeamNotified,", "is not TeamNotified|DashboardsOpen")]
    [InlineData("MigrateProduction --attest TeamNotified, DashboardsOpen", "--attest TeamNotified,DashboardsOpen")]
    [InlineData("MigrateProduction --maintenance-window Sun 02:00-04:00 UTC", "quote a value with spaces")]
    [InlineData("MigrateProduction --maintenance-window Sun", "it is not days, times and a time zone: write it as \"Sun 02:00-04:00 Europe/Berlin\"")]
    [InlineData("MigrateProduction --skip Statsu", "Did you mean Status?")]
    [InlineData("--target Rolback", "Did you mean Rollback?")]
    public void What_is_wrong_is_refused_and_the_message_says_what_to_type(string line, string expected) =>
        Should.Throw<BadInputException>(() => Check(line)).Message.ShouldContain(expected);

    [Theory]
    [InlineData("SKIP", "")]
    [InlineData("REVISION", "main")]
    [InlineData("revision", "main")]
    [InlineData("NUKE_SKIP", "Backup")]
    [InlineData("Target_Environment", "Production")]
    public void What_is_dangerous_is_refused_by_name_when_it_comes_from_the_surroundings(string name, string value)
    {
        var refusal = Should.Throw<BadInputException>(() => Check("MigrateProduction", new(StringComparer.Ordinal) { [name] = value }));

        refusal.Message.ShouldContain(name);
        refusal.Message.ShouldContain("command line");
    }

    [Fact]
    public void What_is_dangerous_passes_when_the_command_line_says_it_too() =>
        Should.NotThrow(() => Check("Rollback --revision abc", new(StringComparer.Ordinal) { ["REVISION"] = "main", ["TARGET"] = "x86_64" }));

    [Fact]
    public void A_secret_is_not_repeated()
    {
        var refusal = Should.Throw<BadInputException>(() => Check(
            "Status", new(StringComparer.Ordinal) { ["PRODUCTION_DATABASE_URL"] = "hunter2", ["NUKE_PRODUCTION_DATABASE_URL"] = "hunter3" }));

        refusal.Message.ShouldContain("differ");
        refusal.Message.ShouldNotContain("hunter");
    }

    [Fact]
    public void A_url_in_the_wrong_place_is_not_repeated() =>
        Should.Throw<BadInputException>(() => Check("Status postgresql://u:hunter2@h/d --fresh postgresql://u:hunter2@h/d")).Message.ShouldNotContain("hunter2");

    [Theory]
    [InlineData("""{ "Revison": "abc" }""", "Did you mean \"Revision\"?")]
    [InlineData("""{ "Revision": "abc" }""", "command line")]
    [InlineData("""{ "BackupJobs": "many" }""", "whole number")]
    [InlineData("""{ "BackupJobs": """, "not JSON")]
    public void The_parameters_file_is_read_as_strictly(string json, string expected) =>
        Should.Throw<BadInputException>(() => Check("Status", file: json)).Message.ShouldContain(expected);

    [Fact]
    public void All_problems_are_told_at_once() =>
        Should.Throw<BadInputException>(() => Check("Statsu --revison x --backup-jobs y")).Message.ShouldContain("3 inputs are wrong");

    private static void Check(string line, Dictionary<string, string>? environment = null, string file = """{ "$schema": "./build.schema.json", "BackupJobs": 2 }""") =>
        Guard.Check(
            CommandLine.Read(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)),
            environment ?? new(StringComparer.Ordinal),
            new Dictionary<string, string>(StringComparer.Ordinal) { [".nuke/parameters.json"] = file });
}
