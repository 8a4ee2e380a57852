namespace Aragora.Runbook.Journal;

/// <summary>Who runs this: what evidence, attestations and overrides are signed with for people to read.</summary>
public static class Person
{
    /// <summary>user@machine; on a CI host, whose user is nobody, the person who started the run before it.</summary>
    /// <param name="variable">Reads an environment variable.</param>
    /// <param name="account">user@machine.</param>
    public static string Name(Func<string, string?> variable, string account)
    {
        var person = variable("GITHUB_ACTIONS") == "true" ? Given("GITHUB_TRIGGERING_ACTOR") ?? Given("GITHUB_ACTOR")
            : string.Equals(variable("TF_BUILD"), "true", StringComparison.OrdinalIgnoreCase) ? Given("BUILD_REQUESTEDFOR")
            : null;
        return person is null ? account : $"{person} (as {account})";

        string? Given(string name) => string.IsNullOrWhiteSpace(variable(name)) ? null : variable(name);
    }
}
