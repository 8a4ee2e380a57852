using System.Globalization;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Tooling;

namespace Aragora.Runbook.Verification;

/// <summary>pytest's command line and environment for one database.</summary>
public static class SmokeTestCommand
{
    /// <summary>The marker that a test needs to run on production.</summary>
    public const string ProductionMarker = "production_safe";

    /// <summary>Whether the tests of this environment run marked ones only, in sessions that are read-only by default.</summary>
    public static bool IsReadOnly(DatabaseEnvironment environment, SmokeTestOptions options) =>
        environment.Name == TargetEnvironment.Production && !options.AllowWrites;

    /// <summary>The command. The URL, which holds the password, is only in the child's environment.</summary>
    /// <param name="python">pytest.</param>
    /// <param name="environment">The database.</param>
    /// <param name="options">Which suite.</param>
    /// <param name="suite">The suite's full path.</param>
    /// <param name="resultsFile">Where pytest writes its JUnit XML.</param>
    public static Command Create(PythonTool python, DatabaseEnvironment environment, SmokeTestOptions options, string suite, string resultsFile)
    {
        var readOnly = IsReadOnly(environment, options);
        var url = environment.Database;
        var variables = LibpqVariables.For(url, "aragora-smoke");
        if (readOnly)
        {
            var settings = string.Create(CultureInfo.InvariantCulture, $"-c default_transaction_read_only=on -c statement_timeout={(long)options.StatementTimeout.TotalMilliseconds}");
            variables["PGOPTIONS"] = settings;
            if (url.Options.TryGetValue("options", out var own))
            {
                // libpq prefers the URL's options to PGOPTIONS: what is only in the variable would not count.
                variables["PGOPTIONS"] = $"{own} {settings}";
                url = url with { Options = new Dictionary<string, string>(url.Options, StringComparer.Ordinal) { ["options"] = $"{own} {settings}" } };
            }
        }

        // What these hold could deselect the tests that would have failed.
        variables["PYTEST_ADDOPTS"] = null;
        variables["PYTEST_PLUGINS"] = null;
        variables["PYTHONDONTWRITEBYTECODE"] = "1";
        variables["PYTHONUNBUFFERED"] = "1";
        variables["PYTHONIOENCODING"] = "utf-8";
        variables["ARAGORA_ENVIRONMENT"] = environment.DisplayName;
        variables["ARAGORA_EXPECTED_REVISION"] = options.ExpectedRevision;
        variables["ARAGORA_READ_ONLY"] = readOnly ? "1" : null;
        foreach (var variable in options.UrlVariables)
        {
            variables[variable] = url.ToSecretUrl(options.UrlScheme);
        }

        return new Command
        {
            Program = python.Interpreter,
            Arguments =
            [
                "-m", python.Module, suite, $"--junitxml={resultsFile}", "-p", "no:cacheprovider", "-q",
                .. readOnly ? (string[])["-m", ProductionMarker] : [],
            ],
            Environment = variables,
            WorkingDirectory = Directory.Exists(suite) ? suite : Path.GetDirectoryName(suite)!,
        };
    }
}
