using System.ComponentModel;
using Nuke.Common.IO;
using Nuke.Common.Tooling;
using Shouldly;
using Xunit;

namespace Nuke.Common.Tests;

public class Parameters
{
    [Fact]
    public void The_command_line_wins_over_the_environment_and_that_over_files()
    {
        var service = Service(["--text", "line"], ("TEXT", "environment"));
        service.ArgumentsFromFilesService = (_, _) => "file";
        service.GetParameter("Text", typeof(string), null).ShouldBe("line");

        service = Service([], ("TEXT", "environment"));
        service.ArgumentsFromFilesService = (_, _) => "file";
        service.GetParameter("Text", typeof(string), null).ShouldBe("environment");

        service = Service([]);
        service.ArgumentsFromFilesService = (_, _) => "file";
        service.GetParameter("Text", typeof(string), null).ShouldBe("file");
    }

    [Theory]
    [InlineData("StagingDatabaseUrl")]
    [InlineData("STAGING_DATABASE_URL")]
    [InlineData("staging-database.url")]
    [InlineData("NUKE_STAGING_DATABASE_URL")]
    [InlineData("nuke_StagingDatabaseUrl")]
    public void A_variable_counts_whatever_its_case_and_punctuation(string variable) =>
        Service([], (variable, "x")).GetParameter("StagingDatabaseUrl", typeof(string), null).ShouldBe("x");

    [Theory]
    [InlineData("STAGING_DATABASE_URLS")]
    [InlineData("MY_STAGING_DATABASE_URL")]
    [InlineData("NUKESTAGING")]
    public void Another_variable_does_not(string variable) =>
        Service([], (variable, "x")).GetParameter("StagingDatabaseUrl", typeof(string), null).ShouldBeNull();

    [Fact]
    public void Two_variables_of_a_name_cancel_out_unless_one_is_exact()
    {
        Service([], ("NUKE_TEXT", "a"), ("TEXT", "b")).GetParameter("Text", typeof(string), null).ShouldBeNull();
        Service([], ("NUKE_TEXT", "a"), ("Text", "b")).GetParameter("Text", typeof(string), null).ShouldBe("b");
    }

    [Theory]
    [InlineData(typeof(string), "a b", "a b")]
    [InlineData(typeof(int?), "-3", -3)]
    [InlineData(typeof(int?), "0x10", 16)]
    [InlineData(typeof(long), "5000000000", 5000000000)]
    [InlineData(typeof(bool?), "TRUE", true)]
    [InlineData(typeof(bool), "", false)]
    [InlineData(typeof(int?), "", null)]
    [InlineData(typeof(DayOfWeek?), "friday", DayOfWeek.Friday)]
    [InlineData(typeof(double?), "1.5", 1.5)]
    [InlineData(typeof(string[]), "", new string[0])]
    [InlineData(typeof(int[]), "1", new[] { 1 })]
    public void Text_becomes_the_type_of_the_member(Type type, string text, object expected)
    {
        Service([], ("VALUE", text)).GetParameter("Value", type, null).ShouldBe(expected);
        if (text.Length > 0 && !text.StartsWith('-'))
            Service(["--value", text]).GetParameter("Value", type, null).ShouldBe(expected);
    }

    [Fact]
    public void Durations_addresses_paths_and_named_values_are_read()
    {
        Service(["--v", "00:01:30"]).GetParameter("V", typeof(TimeSpan?), null).ShouldBe(TimeSpan.FromSeconds(90));
        Service(["--v", "https://example.org/x"]).GetParameter("V", typeof(Uri), null).ShouldBe(new Uri("https://example.org/x"));
        Service(["--v", "sub/../there"]).GetParameter("V", typeof(AbsolutePath), null).ShouldBe(EnvironmentInfo.WorkingDirectory / "there");
        Service(["--v", "/a/b"]).GetParameter("V", typeof(AbsolutePath), null).ShouldBe((AbsolutePath)"/a/b");
        Service(["--v", "release"]).GetParameter("V", typeof(Configuration), null).ShouldBe(Configuration.Release);
        Service(["--v", "release", "debug"]).GetParameter("V", typeof(Configuration[]), null).ShouldBe(new[] { Configuration.Release, Configuration.Debug });
    }

    [Fact]
    public void A_switch_alone_is_true_and_for_a_list_empty()
    {
        Service(["--really"]).GetParameter("Really", typeof(bool?), null).ShouldBe(true);
        Service(["--skip"]).GetParameter("Skip", typeof(string[]), '+').ShouldBe(Array.Empty<string>());
        Service(["--text"]).GetParameter("Text", typeof(string), null).ShouldBeNull();
    }

    [Theory]
    [InlineData("--target-environment")]
    [InlineData("-TargetEnvironment")]
    [InlineData("--TARGETENVIRONMENT")]
    public void Switches_are_known_whatever_their_case_and_dashes(string name) =>
        Service([name, "x"]).GetParameter("TargetEnvironment", typeof(string), null).ShouldBe("x");

    [Fact]
    public void The_last_of_two_equal_switches_counts() =>
        Service(["--x", "1", "--x", "2"]).GetParameter("X", typeof(int?), null).ShouldBe(2);

    [Fact]
    public void Targets_are_what_stands_before_the_first_switch_unless_the_switch_names_them()
    {
        Service(["A", "B", "--x", "C"]).GetParameter("Target", typeof(string[]), '+').ShouldBe(new[] { "A", "B" });
        Service(["A+B"]).GetParameter("Target", typeof(string[]), '+').ShouldBe(new[] { "A", "B" });
        Service(["A", "--target", "B", "C"]).GetParameter("Target", typeof(string[]), '+').ShouldBe(new[] { "B", "C" });
        Service([], ("NUKE_TARGET", "A+B")).GetParameter("Target", typeof(string[]), '+').ShouldBe(new[] { "A", "B" });
        Service(["A"]).GetParameter("Other", typeof(string[]), null).ShouldBeNull();
    }

    [Fact]
    public void A_value_that_does_not_parse_says_so_and_shows_no_other_argument()
    {
        var message = Should.Throw<Exception>(() => Service(["--x", "many", "--password", "hidden"]).GetParameter("X", typeof(int?), null)).Message;
        message.ShouldContain("Resolving argument 'X' failed");
        message.ShouldContain("'many' could not be converted to 'int?'");
        message.ShouldNotContain("hidden");

        Should.Throw<Exception>(() => Service([], ("X", "many")).GetParameter("X", typeof(int?), null)).Message.ShouldContain("environment");
    }

    [Fact]
    public void Two_values_do_not_fit_into_one() =>
        Should.Throw<Exception>(() => Service(["--x", "1", "2"]).GetParameter("X", typeof(int?), null)).Message.ShouldContain("[ 1, 2 ]");

    [Theory]
    [InlineData("StagingDatabaseUrl", "staging-database-url")]
    [InlineData("NoLogo", "no-logo")]
    [InlineData("URL", "url")]
    [InlineData("GitHubToken", "github-token")]
    [InlineData("MSBuildPath", "msbuild-path")]
    public void Names_are_shown_with_dashes(string name, string dashed) => ParameterService.GetParameterDashedName(name).ShouldBe(dashed);

    private static ParameterService Service(string[] arguments, params (string Name, string Value)[] variables) => new(
        () => new ArgumentParser(arguments),
        () => variables.ToDictionary(x => x.Name, x => x.Value, StringComparer.Ordinal));

    [TypeConverter(typeof(TypeConverter<Configuration>))]
    private sealed class Configuration : Enumeration
    {
        public static readonly Configuration Debug = new() { Value = nameof(Debug) };
        public static readonly Configuration Release = new() { Value = nameof(Release) };
    }
}
