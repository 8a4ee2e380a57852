using System.Text.RegularExpressions;
using Aragora.Runbook.Adapters.Processes;
using Aragora.Runbook.Environments;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Verification;

/// <summary>Decides whether a run of pytest was green, and says of each way in which it was not what it means.</summary>
internal sealed partial class SmokeTestVerdict(DatabaseEnvironment environment, SmokeTestOptions options, string suite)
{
    private const int Shown = 10;

    private string Again => $"./build.sh SmokeTest --target-environment {environment.DisplayName}";

    private string Suspect => options.AfterFailure switch
    {
        AfterFailure.NeedsPerson => $"decide: mend it, or ./build.sh Rollback --target-environment {environment.DisplayName} --strategy Downgrade --revision -1; then {Again}",
        AfterFailure.RolledBack => $"./build.sh Status tells where it stands; call somebody: ./build.sh Contacts; when it is mended: {Again}",
        _ => Again,
    };

    /// <summary>The database must be where the caller believes it to be.</summary>
    public void CheckRevision(DatabaseFacts before)
    {
        if (options.ExpectedRevision is { } expected && !before.Revisions.SequenceEqual(expected == "base" ? [] : [expected], StringComparer.Ordinal))
        {
            throw Failure(
                $"The smoke tests of {environment.DisplayName} were not started: its database is not at {expected}.",
                before.Revisions.Count == 0 ? "it has no revision" : $"it is at {string.Join(", ", before.Revisions)}",
                "./build.sh Status");
        }
    }

    /// <summary>A migration in the middle of the tests makes them say nothing.</summary>
    public void CheckUnmoved(DatabaseFacts before, DatabaseFacts after)
    {
        if (before.RevisionStamp != after.RevisionStamp || !before.Identity.IsSameDatabaseAs(after.Identity))
        {
            throw Failure(
                $"The smoke tests of {environment.DisplayName} say nothing: its schema was migrated while they ran.",
                $"it was at {string.Join(", ", before.Revisions)} before and is at {string.Join(", ", after.Revisions)} now; another migration, or a test that migrates",
                $"./build.sh Status, then {Again}");
        }
    }

    /// <summary>The report, if it is green.</summary>
    public JUnitReport Judge(CommandResult result, JUnitReport? report) => result.ExitCode switch
    {
        0 when report is null => throw NoResults(result),
        0 when report.Passed == 0 => throw NothingPassed(report),
        0 when report.Failed + report.Errors == 0 => report,
        0 or 1 when report is not null => throw Failed(report),
        2 when report is { Errors: > 0 } => throw Failure(
            $"The smoke test suite {suite} does not load.",
            Listed(report.NotPassed),
            $"mend the suite (its imports, its packages), then {Again}"),
        2 => throw Failure($"The smoke tests of {environment.DisplayName} were interrupted.", Tail(result), Again),
        3 => throw Failure("pytest broke (internal error).", Tail(result), $"check pytest's plugins, then {Again}"),
        4 => throw Failure("pytest refused its command line or the suite's configuration (usage error).", Tail(result), $"check pytest.ini and conftest.py beside {suite}, then {Again}"),
        5 => throw NothingRan(result),
        _ when report is null => throw NoResults(result),
        _ => throw Failure($"pytest ended with exit code {result.ExitCode}.", Tail(result), Again),
    };

    private RunbookException Failed(JUnitReport report) => Failure(
        $"Smoke tests of {environment.DisplayName}: {Measures.Count(report.Failed, "test")} failed, {Measures.Count(report.Errors, "error")}, {report.Passed} passed, {report.Skipped} skipped.",
        Listed(report.NotPassed),
        Suspect);

    private RunbookException NothingPassed(JUnitReport report) => Failure(
        $"Smoke tests of {environment.DisplayName}: none passed.",
        report.Skipped > 0 ? $"{Measures.Count(report.Skipped, "test")} skipped themselves: nothing was verified" : "the suite ran no test",
        $"run {suite} by hand to see why, then {Again}");

    private RunbookException NothingRan(CommandResult result)
    {
        var deselected = Deselected().Match(result.Output);
        return SmokeTestCommand.IsReadOnly(environment, options) && deselected.Success
            ? Failure(
                $"{suite} has no test that may run on production.",
                $"{deselected.Groups["number"].Value} found, none marked {SmokeTestCommand.ProductionMarker}",
                $"mark the read-only ones with @pytest.mark.{SmokeTestCommand.ProductionMarker}; or, if the suite harms nothing, --allow-smoke-writes")
            : Failure($"pytest found no test in {suite}.", "it holds no function or class whose name begins with test", "name another suite with --smoke-suite");
    }

    private RunbookException NoResults(CommandResult result) => Failure(
        $"pytest ended with exit code {result.ExitCode}, and its results cannot be read.",
        Tail(result) is { Length: > 0 } tail ? tail : "it wrote no JUnit XML",
        $"check that pytest runs: {Again}");

    private RunbookException Failure(string what, string why, string next) => options.AfterFailure.Failure(what, why, next);

    private static string Listed(IReadOnlyList<FailedTest> tests)
    {
        var lines = tests.Take(Shown).Select(test => $"{LogText.SingleLine(test.Name)}: {LogText.SingleLine(test.Message, 300)}").ToList();
        if (tests.Count > Shown)
        {
            lines.Add($"… and {tests.Count - Shown} more");
        }

        return string.Join("\n        ", lines);
    }

    private static string Tail(CommandResult result) => LogText.Safe(result.Tail());

    [GeneratedRegex(@"(?<number>\d+) deselected")]
    private static partial Regex Deselected();
}
