using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Environments;

/// <summary>Passwords that can be masked in logs: shorter ones would blacken half of every line, and so <c>SecretMask</c> leaves them.</summary>
public static class MaskablePassword
{
    /// <summary>The shortest password that is masked, in characters.</summary>
    public const int ShortestLength = 3;

    /// <summary>Refuses a password that would appear in logs and reports. For the databases that are named by URL; those of the local stack have passwords of our own making.</summary>
    /// <param name="url">The database. Without a password there is nothing to mask.</param>
    /// <param name="parameter">The variable that the URL came from, for the message.</param>
    /// <exception cref="BadInputException">The password has one or two characters.</exception>
    public static void Require(PostgresUrl url, string parameter)
    {
        if (url.Password is { Length: > 0 and < ShortestLength })
        {
            throw new BadInputException(
                $"The password in {parameter} is shorter than {ShortestLength} characters.",
                "it could not be masked in logs and reports without blackening half of every line",
                $"give the role a longer password, and {parameter} the new URL");
        }
    }
}
