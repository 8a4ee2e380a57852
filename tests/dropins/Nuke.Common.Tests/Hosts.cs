using Nuke.Common.CI.AzurePipelines;
using Nuke.Common.CI.GitHubActions;
using Nuke.Common.Execution;
using Nuke.Common.Utilities.Collections;
using Shouldly;
using Xunit;

namespace Nuke.Common.Tests;

[Collection("console")]
public class Hosts
{
    [Fact]
    public void Azure_commands_are_escaped()
    {
        var lines = new List<string>();
        var host = new AzurePipelines(lines.Add);
        host.LogWarning("100%\r\nsure; really]", sourcePath: "a;b]c", code: "1");
        host.ReportError("bad");
        using (host.WriteBlock("Some target"))
            host.SetVariable("name", "value", isSecret: true);

        lines.ShouldBe(
        [
            "##vso[task.logissue type=warning;sourcepath=a%3Bb%5Dc;code=1]100%%0D%0Asure; really]",
            "##vso[task.logissue type=error]bad",
            "##[group]Some target",
            "##vso[task.setvariable variable=name;issecret=True]value",
            "##[endgroup]Some target",
        ]);
    }

    [Fact]
    public void GitHub_commands_are_escaped()
    {
        var host = new GitHubActions();
        var output = Capture(() =>
        {
            host.ReportWarning("100%\nsure: really");
            host.WriteCommand("error", "bad", x => x.AddPair("file", (object)"a:b,c").AddPair("line", (object)7));
            using (host.WriteBlock("Some target"))
                host.FilterMessage("::notice::as it is").ShouldBeTrue();
            host.FilterMessage("text").ShouldBeFalse();
        });

        output.ShouldBe(
        [
            "::warning::100%25%0Asure: really",
            "::error file=a%3Ab%2Cc, line=7::bad",
            "::group::Some target",
            "::notice::as it is",
            "::endgroup::Some target",
        ]);
    }

    [Fact]
    public void Only_services_that_fold_replace_the_headings()
    {
        new GitHubActions().CanCollapse.ShouldBeTrue();
        new AzurePipelines().CanCollapse.ShouldBeTrue();
        new Terminal().CanCollapse.ShouldBeFalse();
    }

    [Theory]
    [InlineData(0.4, "< 1sec")]
    [InlineData(59, "0:59")]
    [InlineData(600, "10:00")]
    [InlineData(7265, "121:05")]
    public void Durations_are_minutes_and_seconds(double seconds, string expected) => TargetSummary.Format(TimeSpan.FromSeconds(seconds)).ShouldBe(expected);

    private static string[] Capture(Action action)
    {
        var previous = Console.Out;
        using var writer = new StringWriter();
        Console.SetOut(writer);
        try
        {
            action();
        }
        finally
        {
            Console.SetOut(previous);
        }

        return writer.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
    }
}
