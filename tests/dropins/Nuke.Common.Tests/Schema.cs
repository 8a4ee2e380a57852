using Nuke.Common.Execution;
using Nuke.Common.IO;
using Shouldly;
using Xunit;

namespace Nuke.Common.Tests;

public class Schema
{
    [Fact]
    public void The_schema_describes_each_parameter_as_the_package_does()
    {
        var root = SchemaUtility.GetJsonDocument(new Sample()).RootElement;
        var properties = root.GetProperty("allOf")[0].GetProperty("properties");
        string Of(string name) => properties.GetProperty(name).GetRawText().ReplaceLineEndings(string.Empty).Replace(" ", string.Empty, StringComparison.Ordinal);

        Of("Text").ShouldBe("""{"type":"string","description":"Atext"}""");
        Of("Password").ShouldBe("""{"type":"string","default":"Secretsmustbeenteredvia'nuke:secrets[profile]'"}""");
        Of("Truth").ShouldBe("""{"type":"boolean"}""");
        Of("MaybeTruth").ShouldBe("""{"type":["boolean","null"]}""");
        Of("Numbers").ShouldBe("""{"type":"array","items":{"type":"integer","format":"int32"}}""");
        Of("Day").ShouldBe("""{"$ref":"#/definitions/DayOfWeek"}""");
        Of("Place").ShouldBe("""{"type":"string"}""");
        Of("Choice").ShouldBe("""{"type":"string","enum":["a","b"]}""");
        Of("PrefixedName").ShouldBe("""{"type":"string"}""");
        properties.EnumerateObject().Select(x => x.Name).ShouldBeInOrder();

        var definitions = root.GetProperty("definitions");
        definitions.GetProperty("ExecutableTarget").GetProperty("enum").EnumerateArray().Select(x => x.GetString()).ShouldBe(["Alpha", "Beta"]);
        definitions.GetProperty("Host").GetProperty("enum").EnumerateArray().Select(x => x.GetString()).ShouldContain("GitHubActions");
        definitions.GetProperty("NukeBuild").GetProperty("properties").EnumerateObject().Select(x => x.Name)
            .ShouldBe(["Continue", "Help", "Host", "NoLogo", "Partition", "Plan", "Profile", "Root", "Skip", "Target", "Verbosity"]);
        root.GetProperty("allOf")[1].GetProperty("$ref").GetString().ShouldBe("#/definitions/NukeBuild");
    }

    private sealed class Sample : NukeBuild, IPrefixed
    {
        [Parameter("A text.")] readonly string Text;
        [Parameter, Secret] readonly string Password;
        [Parameter] readonly bool Truth;
        [Parameter] readonly bool? MaybeTruth;
        [Parameter] readonly int[] Numbers;
        [Parameter] readonly DayOfWeek Day;
        [Parameter] readonly AbsolutePath Place;
        [Parameter(ValueProviderMember = nameof(Choices))] readonly string Choice;

        static IEnumerable<string> Choices => ["b", "a"];

        Target Beta => _ => _;
        Target Alpha => _ => _;
    }

    [ParameterPrefix("Prefixed")]
    private interface IPrefixed : INukeBuild
    {
        [Parameter] string Name => TryGetValue(() => Name);
    }
}
