using System.Globalization;
using Aragora.Runbook.Journal;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Gates;

/// <summary>The maintenance window is open, or none is set.</summary>
/// <param name="run">Its clock decides.</param>
/// <param name="window">The window; null where none is set.</param>
internal sealed class MaintenanceWindowBox(RunContext run, MaintenanceWindow? window) : IGateBox
{
    /// <inheritdoc/>
    public BoxState Look(GateSubject subject) => Look();

    /// <summary>Looks, before there is anything to migrate.</summary>
    public BoxState Look()
    {
        var now = run.Clock.GetUtcNow();
        return window is null ? State(true, "no window is set")
            : window.IsOpen(now) ? State(true, window.NextClosing(now) is { } end ? $"{window} is open until {Moment(end)}, for another {ProgressSnapshot.Rough(end - now)}" : $"{window} is always open")
            : State(false, Closed(window, now));
    }

    private static BoxState State(bool ticked, string finding) => new(GateBox.MaintenanceWindow, ticked, finding, "repeat the command when the window is open");

    private static string Closed(MaintenanceWindow window, DateTimeOffset now)
    {
        var next = window.NextOpening(now);
        var skipped = window.Skipped(now, next).Select(day => $"; on {day.ToString("ddd yyyy-MM-dd", CultureInfo.InvariantCulture)} it does not exist: the clocks of {window.Zone.Id} skip all of it (daylight saving)");
        return $"{window} is closed; it opens {Moment(next)}, in {ProgressSnapshot.Rough(next - now)}{string.Concat(skipped)}";
    }

    private static string Moment(DateTimeOffset instant) =>
        $"{instant.ToString("ddd yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture)} ({instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC)";
}
