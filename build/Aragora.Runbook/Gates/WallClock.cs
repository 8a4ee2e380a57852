namespace Aragora.Runbook.Gates;

/// <summary>What the wall clock of a time zone shows. Built on the one question that every zone answers truly: its offset at an instant.</summary>
/// <param name="zone">The zone.</param>
internal sealed class WallClock(TimeZoneInfo zone)
{
    private static readonly TimeSpan Step = TimeSpan.FromHours(6);

    /// <summary>The same instant, by this clock.</summary>
    public DateTimeOffset At(DateTimeOffset instant) => TimeZoneInfo.ConvertTime(instant, zone);

    /// <summary>The instants at which it shows this: none where it skips it, two where it shows it twice.</summary>
    public IReadOnlyList<DateTimeOffset> Instants(DateTime local)
    {
        // A day to either side lies beyond every offset: one of the two holds at the time itself.
        var around = new DateTimeOffset(DateTime.SpecifyKind(local, DateTimeKind.Unspecified), TimeSpan.Zero);
        return
        [
            .. new[] { zone.GetUtcOffset(around.AddDays(-1)), zone.GetUtcOffset(around.AddDays(1)) }.Distinct()
                .Select(offset => new DateTimeOffset(around.DateTime, offset))
                .Where(instant => zone.GetUtcOffset(instant) == instant.Offset)
                .Order(),
        ];
    }

    /// <summary>The instants between two others at which the offset changes.</summary>
    public IEnumerable<DateTimeOffset> Transitions(DateTimeOffset from, DateTimeOffset to)
    {
        for (var at = from; at < to; at += Step)
        {
            var (before, after) = (at, at + Step);
            if (zone.GetUtcOffset(before) == zone.GetUtcOffset(after))
            {
                continue;
            }

            while (after.UtcTicks - before.UtcTicks > 1)
            {
                var middle = before + ((after - before) / 2);
                (before, after) = zone.GetUtcOffset(middle) == zone.GetUtcOffset(before) ? (middle, after) : (before, middle);
            }

            yield return after;
        }
    }
}
