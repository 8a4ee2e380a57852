using Nuke.Common.IO;
using Shouldly;
using Xunit;

namespace Nuke.Common.Tests;

public sealed class WholeBuilds : IDisposable
{
    private readonly SampleProcess _sample = new();

    public void Dispose() => _sample.Dispose();

    [Fact]
    public void Success_is_0_with_headings_facts_and_a_summary()
    {
        var (exitCode, output) = Run("--times", "3");
        exitCode.ShouldBe(0);
        output.ShouldContain("║ Default");
        output.ShouldContain("Times=3 Words=hello");
        output.ShouldContain("// Times: 3");
        output.ShouldContain("Build succeeded on ");
        output.ShouldContain("finished: True 0 Default=Succeeded");
        File.ReadAllText(_sample.Root / ".nuke" / "temp" / "build.log").ShouldContain("| I | Default              | Times=3");
    }

    [Fact]
    public void Failure_is_255_and_the_rest_does_not_run()
    {
        var (exitCode, output) = Run("Third", "Assured", "--fail-at", "Second");
        exitCode.ShouldBe(255);
        output.ShouldContain("finished: False -1 First=Succeeded Second=Failed Third=NotRun");
        output.ShouldContain("After=NotRun");
        output.ShouldContain("Assured=Succeeded");
        output.ShouldContain("Errors & Warnings");
        output.ShouldContain("InvalidOperationException: Second was told to fail");
        output.ShouldContain("Build failed on ");
    }

    [Fact]
    public void A_target_may_fail_and_the_build_go_on_but_not_end_well()
    {
        var (exitCode, output) = Run("First", "Proceeds");
        exitCode.ShouldBe(255);
        output.ShouldContain("Proceeds=Failed First=Succeeded");
        output.ShouldContain("// InvalidOperationException: first line" + Environment.NewLine);
    }

    [Theory]
    [InlineData("SetsCode", "3", 3)]
    [InlineData("SetsCode", "0", 0)]
    [InlineData("SetsCodeAndFails", "0", 0)]
    [InlineData("SetsCodeAndFails", "4", 4)]
    [InlineData("SetsCode", "77", 77)] // OnBuildFinished then sets 78: too late.
    public void The_exit_code_that_a_target_sets_wins(string target, string code, int expected) => Run(target, "--code", code).ExitCode.ShouldBe(expected);

    [Fact]
    public void Values_come_from_the_files_with_the_last_profile_first()
    {
        Write("parameters.json", """{ "Times": 7, "Words": ["a", "b"], "Folder": "below", "Really": "true", "Paint": "green", "times": 9, "Wait": "00:00:05" }""");
        Write("parameters.one.json", """{ "Times": 8, "Configuration": "release" }""");
        Write("parameters.two.json", """{ "Times": null, "Source": "https://example.org/" }""");

        Run("Default").Output.ShouldContain($"Times=7 Words=a|b Wait=00:00:05 Folder={_sample.Root / "below"}");
        var output = Run("Default", "--profile", "one").Output;
        output.ShouldContain("Times=8 Words=a|b");
        output.ShouldContain("Paint=Green Really=True Configuration=Release");
        Run("Default", "--profile", "one", "two").Output.ShouldContain("Times=1 Words=a|b");
        Run("Default", "--profile", "two", "one", "--times", "5").Output.ShouldContain("Times=5");
        Run("Default", "--profile", "none").ShouldSatisfyAllConditions(
            x => x.ExitCode.ShouldBe(255),
            x => x.Output.ShouldContain("parameters.none.json"));
    }

    [Theory]
    [InlineData("v1:AbCd", "encrypted")]
    [InlineData("plain", "plain")]
    public void A_secret_in_a_file_is_refused_with_the_way_out(string value, string kind)
    {
        Write("parameters.json", $$"""{ "Password": "{{value}}" }""");
        var (exitCode, output) = Run("Default");
        exitCode.ShouldBe(255);
        output.ShouldContain($"Secret 'Password' has a{(kind == "plain" ? string.Empty : "n")} {kind} value");
        output.ShouldContain("as PASSWORD.");
        output.ShouldNotContain(value + "\"");
        output.ShouldNotContain("Times=");
    }

    [Fact]
    public void A_value_that_does_not_parse_is_a_warning_and_the_default_stays()
    {
        Write("parameters.json", """{ "Times": 7 }""");
        foreach (var (exitCode, output) in new[] { Run("Default", "--times", "many"), _sample.Run(["Default"], ("TIMES", "many")) })
        {
            exitCode.ShouldBe(0);
            output.ShouldContain("Could not inject value for Build.Times");
            output.ShouldContain("Times=1 ");
        }
    }

    [Fact]
    public void Unknown_switches_are_ignored_and_unknown_targets_are_not()
    {
        Run("Default", "--no-such-thing", "x").ExitCode.ShouldBe(0);
        var (exitCode, output) = Run("Nothing");
        exitCode.ShouldBe(255);
        output.ShouldContain("Target with name 'Nothing' does not exist");
    }

    [Theory]
    [InlineData("First=Skipped Second=Skipped Third=Succeeded After=Skipped", "Third", "--skip")]
    [InlineData("First=Skipped Second=Skipped Third=Succeeded After=Succeeded", "Third", "--skip", "second")]
    [InlineData("First=Succeeded Second=Skipped Third=Succeeded After=Skipped", "First", "Third", "--skip", "Second+After")]
    public void Skipping_takes_along_what_only_the_skipped_needed(string expected, params string[] arguments)
    {
        var (exitCode, output) = Run(arguments);
        exitCode.ShouldBe(0);
        output.ShouldContain(expected);
    }

    [Fact]
    public void Skipping_from_the_environment_works_too()
    {
        var (_, output) = _sample.Run(["Third"], ("SKIP", ""));
        output.ShouldContain("First=Skipped Second=Skipped Third=Succeeded After=Skipped");
    }

    [Fact]
    public void A_condition_that_does_not_hold_skips_the_dependencies_too_and_stays_green()
    {
        var (exitCode, output) = Run("Never");
        exitCode.ShouldBe(0);
        output.ShouldContain("First=Skipped Never=Skipped");
        output.ShouldContain("OnlyWhen: Times > 100");
    }

    [Fact]
    public void A_requirement_is_checked_before_anything_runs()
    {
        var (exitCode, output) = Run("First", "Needy");
        exitCode.ShouldBe(255);
        output.ShouldContain("Target 'Needy' requires member 'Need' to be not null or empty");
        output.ShouldContain("First=NotRun");
        Run("Needy", "--need", "x").ExitCode.ShouldBe(0);
    }

    [Fact]
    public void Continuing_skips_what_succeeded_in_the_same_invocation()
    {
        Run("Third", "--fail-at", "Third").ExitCode.ShouldBe(255);
        var (exitCode, output) = Run("Third", "--fail-at", "Third", "--continue");
        exitCode.ShouldBe(255);
        output.ShouldContain("First=Skipped Second=Skipped Third=Failed");

        output = Run("Second", "--continue").Output;
        output.ShouldContain("Build invocation changed. Restarting ...");
        output.ShouldContain("First=Succeeded Second=Succeeded");
    }

    [Fact]
    public void Help_and_plan_run_nothing()
    {
        var (exitCode, output) = Run("--help");
        exitCode.ShouldBe(0);
        output.ShouldContain("Second               -> First");
        output.ShouldContain("--greeting-name");
        output.ShouldContain("List of targets to be invoked. Default is 'Default'.");
        output.ShouldNotContain("  After");
        output.ShouldNotContain("finished:");

        (exitCode, output) = Run("Third", "--plan");
        exitCode.ShouldBe(0);
        output.ShouldContain("   1. First  (needed by Second)");
        output.ShouldContain("   4. After  (triggered by Third)");
        output.ShouldNotContain("finished:");
        (_sample.Root / ".nuke" / "temp" / "execution-plan.html").FileExists().ShouldBeTrue();
    }

    [Fact]
    public void Verbosity_and_logo_can_be_chosen()
    {
        Run("First", "--verbosity", "verbose").Output.ShouldContain("created");
        var output = Run("First", "--verbosity", "minimal", "--no-logo").Output;
        output.ShouldNotContain("doing First");
        output.ShouldNotContain("drop-in");
        Run("First", "--no-logo").Output.ShouldNotContain("NUKE Execution Engine");
    }

    [Fact]
    public void Services_are_recognised_or_named()
    {
        var output = _sample.Run(["Warns"], ("GITHUB_ACTIONS", "true")).Output;
        output.ShouldContain("::group::Warns");
        output.ShouldContain("::warning::100%25 of \"a%0Ab\"");
        output.ShouldNotContain("║ Warns");

        output = _sample.Run(["Warns"], ("TF_BUILD", "True")).Output;
        output.ShouldContain("##[group]Warns");
        output.ShouldContain("##vso[task.logissue type=warning]100% of \"a%0Ab\"");

        Run("Default", "--host", "GitHubActions").Output.ShouldContain("Local=False Host=GitHubActions");
        File.Exists(_sample.Root / ".nuke" / "temp" / "build.log").ShouldBeFalse();
    }

    [Fact(SkipUnless = nameof(IsUnix), Skip = "needs kill")]
    public void An_interrupt_ends_the_build_with_its_summary()
    {
        var (exitCode, output) = _sample.Interrupt(["Sleeps", "Assured"], when: "sleeping");
        exitCode.ShouldBe(130);
        output.ShouldContain("Sleeps=Aborted First=NotRun Second=NotRun Third=NotRun");
        output.ShouldContain("doing Assured");
        output.ShouldContain("Build failed on ");
    }

    [Fact]
    public void Components_have_prefixed_parameters()
    {
        Run("Greet", "--greeting-name", "you").Output.ShouldContain("Hello you");
        Run("Greet").Output.ShouldContain("Hello world");
    }

    [Fact]
    public void The_schema_is_written_where_the_project_is_found_and_only_when_it_changed()
    {
        var schema = _sample.Root / ".nuke" / "build.schema.json";
        Run("First").ExitCode.ShouldBe(0);
        schema.FileExists().ShouldBeFalse();

        (_sample.Root / "build" / "_build.csproj").WriteAllText("<Project />");
        Run("First").ExitCode.ShouldBe(0);
        schema.ReadAllText().ShouldContain("\"GreetingName\"");
        (_sample.Root / ".nuke" / "parameters.json").ReadAllText().ShouldContain("./build.schema.json");

        File.SetLastWriteTimeUtc(schema, DateTime.UnixEpoch);
        Run("First").ExitCode.ShouldBe(0);
        File.GetLastWriteTimeUtc(schema).ShouldBe(DateTime.UnixEpoch);
    }

    [Fact]
    public void Another_root_can_be_named_and_without_one_nothing_starts()
    {
        (_sample.Root / "other").CreateDirectory();
        Run("Default", "--root", "other").Output.ShouldContain($"Folder={_sample.Root / "other" / "artifacts"}");

        (_sample.Root / ".nuke").DeleteDirectory();
        var (exitCode, output) = Run("Default");
        exitCode.ShouldNotBe(0);
        output.ShouldContain("Could not locate '.nuke'");
    }

    public static bool IsUnix => EnvironmentInfo.IsUnix;

    private (int ExitCode, string Output) Run(params string[] arguments) => _sample.Run(arguments);

    private void Write(string name, string content) => (_sample.Root / ".nuke" / name).WriteAllText(content);
}
