using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Environments;

/// <summary>What to grant where the server answered 42501 (insufficient privilege).</summary>
internal static class MissingGrant
{
    /// <summary>The statement that helps, as far as the server's message tells it. Object names stand in the message in every language.</summary>
    /// <param name="denied">The server's answer.</param>
    /// <param name="role">The role, quoted.</param>
    public static string Statement(PostgresException denied, string role) =>
        denied.MessageText.Contains("pg_control_", StringComparison.Ordinal)
            ? $"GRANT EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint() TO {role}"
            : denied.MessageText.Contains("alembic_version", StringComparison.Ordinal) ? $"GRANT SELECT ON alembic_version TO {role}"
            : $"GRANT pg_monitor TO {role}, or the right that is named";

    /// <summary>For whoever asked the database what it is and where it stands.</summary>
    public static BadInputException Explain(DatabaseEnvironment environment, PostgresException denied) => new(
        $"Role \"{environment.Database.User}\" may not see what the {environment.DisplayName} database is and where it stands.",
        denied.MessageText,
        $"{Statement(denied, "\"" + environment.Database.User.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"")};   in that database, as its owner or a superuser; then repeat the command",
        denied);
}
