namespace Nuke.Common.Execution;

/// <summary>The table of targets at the end.</summary>
internal static class TargetSummary
{
    private const int StatusWidth = 10;
    private const int DurationWidth = 10;

    public static void Write(INukeBuild build)
    {
        var nameWidth = Math.Max(build.ExecutionPlan.Max(x => x.Name.Length) + 4, 19);
        var width = nameWidth + StatusWidth + DurationWidth;
        var total = build.ExecutionPlan.Aggregate(TimeSpan.Zero, (sum, x) => sum + x.Duration);

        Host.Debug();
        Host.Debug(new string('═', width));
        Host.Information(Line("Target", "Status", "Duration"));
        Host.Debug(new string('─', width));
        foreach (var target in build.ExecutionPlan)
            Write(target, Line(target.Name, target.Status.ToString(), DurationOf(target), FactsOf(target)));
        Host.Debug(new string('─', width));
        Host.Information(Line("Total", string.Empty, Format(total)));
        Host.Debug(new string('═', width));

        string Line(string name, string status, string duration, string facts = null) =>
            name.PadRight(nameWidth) + status.PadRight(StatusWidth) + duration.PadLeft(DurationWidth) + (facts is null ? string.Empty : $"   // {facts}");
    }

    internal static string Format(TimeSpan duration)
    {
        var text = $"{(int)duration.TotalMinutes}:{duration:ss}";
        return text == "0:00" ? "< 1sec" : text;
    }

    private static void Write(ExecutableTarget target, string line)
    {
        switch (target.Status)
        {
            case ExecutionStatus.Skipped:
                Host.Debug(line);
                break;
            case ExecutionStatus.Succeeded:
                Host.Success(line);
                break;
            case ExecutionStatus.Aborted:
            case ExecutionStatus.NotRun:
                Host.Warning(line);
                break;
            case ExecutionStatus.Failed:
                Host.Error(line);
                break;
            case ExecutionStatus.Collective:
                break;
            default:
                throw new NotSupportedException(target.Status.ToString());
        }
    }

    private static string DurationOf(ExecutableTarget target) =>
        target.Status is ExecutionStatus.Succeeded or ExecutionStatus.Failed or ExecutionStatus.Aborted ? Format(target.Duration) : string.Empty;

    private static string FactsOf(ExecutableTarget target) =>
        target.SummaryInformation.Count > 0 ? string.Join(", ", target.SummaryInformation.Select(x => $"{x.Key}: {x.Value}")) : null;
}
