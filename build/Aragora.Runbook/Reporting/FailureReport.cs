using System.Text;
using Aragora.Runbook.Contacts;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Reporting;

/// <summary>The end of a run that failed: what happened, where every database is now, what to type, whom to call.</summary>
/// <param name="Failure">What ended the run.</param>
/// <param name="ExitCode">What the process ends with: a failure after a move needs a person, whatever it is itself.</param>
/// <param name="Unverified">What was moved and is not verified; null where everything is in order.</param>
/// <param name="States">The databases as they are now.</param>
/// <param name="Contacts">Whom to call.</param>
/// <param name="Folder">The run's folder, for the details.</param>
public sealed record FailureReport(Exception Failure, int ExitCode, string? Unverified, IReadOnlyList<DatabaseState> States, EmergencyContacts Contacts, string Folder)
{
    /// <summary>The next command, in one line.</summary>
    public string Next => Failure is RunbookException { Next.Length: > 0 } told ? told.Next : "./build.sh Status";

    /// <summary>A block of plain text, masked and safe for a log.</summary>
    public string Render(SecretMask secrets)
    {
        var text = new StringBuilder();
        text.Append("WHAT HAPPENED").Append(Meaning()).Append('\n').Append(Indented(What()));
        if (Unverified is not null)
        {
            text.Append("\nNOT VERIFIED\n").Append(Indented(Unverified));
        }

        if (States.Count > 0)
        {
            text.Append("\nTHE DATABASES NOW\n");
            text.Append(Indented(TextTable.Render(["", ""], [.. States.Select(state => (IReadOnlyList<string>)[state.Environment.ToString().ToLowerInvariant(), state.ToString()])])));
        }

        text.Append("\nNEXT\n").Append(Indented(Next));
        text.Append("\nWHOM TO CALL\n").Append(Indented(Contacts.ToTable()));
        text.Append("\nDetails: ").Append(Folder).Append('\n');
        return LogText.Safe(secrets.Apply(text.ToString()));
    }

    private string Meaning() => ExitCode switch
    {
        ExitCodes.BadInput => " (exit code 2: the input is wrong, this step touched nothing)",
        ExitCodes.Refused => " (exit code 3: refused, this step changed nothing)",
        ExitCodes.FailedClean => " (exit code 4: failed, the databases are as they were before this step)",
        ExitCodes.Cancelled => " (exit code 130: cancelled)",
        ExitCodes.Unexpected => " (exit code 1: a defect of this build)",
        _ => " (exit code 5: somebody has to look before anything else runs)",
    };

    private string What() => Failure switch
    {
        RunbookException told => told.Why.Length > 0 ? $"{told.What}\nwhy: {told.Why}" : told.What,
        OperationCanceledException => "The run was cancelled. Its journal says where: an intent without an outcome is what was interrupted.",
        _ => $"Something that nobody foresaw: {Failure.GetType().Name}: {Failure.Message}",
    };

    private static string Indented(string text) => string.Concat(text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n').Select(line => line.Length > 0 ? $"  {line}\n" : "\n"));
}
