using Aragora.Runbook.Journal;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Journal;

public sealed class PersonTests
{
    [Theory]
    [InlineData("", "me@here")]
    [InlineData("GITHUB_ACTIONS=true GITHUB_ACTOR=ann GITHUB_TRIGGERING_ACTOR=bob", "bob (as me@here)")]
    [InlineData("GITHUB_ACTIONS=true GITHUB_ACTOR=ann", "ann (as me@here)")]
    [InlineData("GITHUB_ACTOR=ann BUILD_REQUESTEDFOR=ann", "me@here")]
    [InlineData("TF_BUILD=True BUILD_REQUESTEDFOR=cid", "cid (as me@here)")]
    [InlineData("TF_BUILD=True", "me@here")]
    public void On_a_CI_host_the_person_who_started_the_run_is_named(string variables, string expected)
    {
        var set = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

        Person.Name(name => set.GetValueOrDefault(name), "me@here").ShouldBe(expected);
    }
}
