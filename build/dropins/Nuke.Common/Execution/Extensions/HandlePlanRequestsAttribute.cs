using System.Net;
using System.Text;
using Nuke.Common.IO;

namespace Nuke.Common.Execution;

/// <summary><c>--plan</c>: prints what would run, and writes a page with all targets. (The package opens a browser.)</summary>
internal sealed class HandlePlanRequestsAttribute : BuildExtensionAttributeBase, IOnBuildInitialized
{
    public void OnBuildInitialized(IReadOnlyCollection<ExecutableTarget> executableTargets, IReadOnlyCollection<ExecutableTarget> executionPlan)
    {
        if (!Build.Plan)
            return;

        Console.WriteLine(GetText(executionPlan));
        var page = Build.TemporaryDirectory / "execution-plan.html";
        page.WriteAllText(GetPage(executableTargets, executionPlan));
        Host.Debug($"All targets: {page}");
        BuildManager.EndProcess(0);
    }

    internal static string GetText(IReadOnlyCollection<ExecutableTarget> executionPlan)
    {
        var text = new StringBuilder("Execution plan:").AppendLine();
        var number = 0;
        foreach (var target in executionPlan)
            text.AppendLine($"{++number,4}. {target.Name}{(target.Actions.Count == 0 ? " (no actions)" : string.Empty)}{Because(target, executionPlan)}");
        return text.ToString();
    }

    private static string Because(ExecutableTarget target, IReadOnlyCollection<ExecutableTarget> executionPlan)
    {
        var needed = executionPlan.Where(x => x.ExecutionDependencies.Contains(target)).Select(x => $"needed by {x.Name}");
        var triggered = executionPlan.Where(x => x.Triggers.Contains(target)).Select(x => $"triggered by {x.Name}");
        var reasons = string.Join(", ", needed.Concat(triggered));
        return reasons.Length > 0 ? $"  ({reasons})" : string.Empty;
    }

    private static string GetPage(IReadOnlyCollection<ExecutableTarget> executableTargets, IReadOnlyCollection<ExecutableTarget> executionPlan)
    {
        var page = new StringBuilder("<!DOCTYPE html><meta charset=\"utf-8\"><title>Execution plan</title>")
            .Append("<style>body{font-family:sans-serif}td,th{padding:.2em .8em;text-align:left}.planned{font-weight:bold}</style>")
            .Append("<table><tr><th>#<th>Target<th>Depends on<th>After<th>Triggered by<th>Description");
        foreach (var target in executableTargets.OrderBy(x => Position(x) ?? int.MaxValue))
        {
            var position = Position(target);
            page.Append(position is null ? "<tr>" : "<tr class=\"planned\">").Append($"<td>{position}");
            string[] cells = [target.Name, Names(target.ExecutionDependencies), Names(target.OrderDependencies), Names(target.TriggerDependencies), target.Description];
            foreach (var cell in cells)
                page.Append("<td>").Append(WebUtility.HtmlEncode(cell));
        }

        return page.Append("</table>").ToString();

        int? Position(ExecutableTarget target) => executionPlan.TakeWhile(x => x != target).Count() is var before && before < executionPlan.Count ? before + 1 : null;
    }

    private static string Names(IEnumerable<ExecutableTarget> targets) => string.Join(", ", targets.Select(x => x.Name));
}
