using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace BuildTests;

public sealed partial class DocumentationTests
{
    private static readonly string Schema = File.ReadAllText(Path.Combine(HostProcess.Checkout, ".nuke", "build.schema.json"));
    private static readonly string Readme = File.ReadAllText(Path.Combine(HostProcess.Checkout, "README.md"));

    [Fact]
    public void Every_target_stands_in_the_readme()
    {
        var targets = TargetPattern().Matches(File.ReadAllText(Path.Combine(HostProcess.Checkout, "build", "Build.cs"))).Select(match => match.Groups["name"].Value).ToList();

        targets.Count.ShouldBeGreaterThan(12);
        targets.Where(target => !Readme.Contains($"`{target}`", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public void Every_parameter_stands_in_the_readme_and_the_dangerous_ones_are_marked()
    {
        var parameters = ParameterPattern().Matches(File.ReadAllText(Path.Combine(HostProcess.Checkout, "build", "Build.Parameters.cs")));

        parameters.Count.ShouldBeGreaterThan(25);
        foreach (Match parameter in parameters)
        {
            var name = parameter.Groups["alias"].Success ? parameter.Groups["alias"].Value : parameter.Groups["name"].Value;
            var marked = $"`{new Aragora.Runbook.Inputs.ParameterDefinition(name, typeof(string)).Switch}`{(parameter.Value.Contains("CommandLineOnly", StringComparison.Ordinal) ? " ⚠" : "")}";
            Readme.ShouldContain(marked);
            Schema.ShouldContain($"\"{name}\"", customMessage: "CONTRIBUTING.md tells how .nuke/build.schema.json is made");
        }
    }

    [Fact]
    public void Every_link_in_the_readme_leads_somewhere() =>
        LinkPattern().Matches(Readme).Select(match => match.Groups["path"].Value).Where(path => !Path.Exists(Path.Combine(HostProcess.Checkout, path))).ShouldBeEmpty();

    [GeneratedRegex(@"\]\((?<path>[^)#:]+)\)", RegexOptions.ExplicitCapture)]
    private static partial Regex LinkPattern();

    [GeneratedRegex(@"^    Target (?<name>\w+) =>", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex TargetPattern();

    [GeneratedRegex(@"\[Parameter\(""[^\n]*?(Name = ""(?<alias>\w+)"")?\)\]\n(    \[\w+\]\n)*    readonly [\w?\[\]]+ (?<name>\w+)", RegexOptions.ExplicitCapture)]
    private static partial Regex ParameterPattern();
}
