using System.Reflection;
using System.Text;
using Nuke.Common.ValueInjection;

namespace Nuke.Common.Execution;

/// <summary><c>--help</c>, and what is shown where nothing would run.</summary>
internal sealed class HandleHelpRequestsAttribute : BuildExtensionAttributeBase, IOnBuildInitialized
{
    private const int MinimumWidth = 16;
    private const int LineWidth = 90;

    public void OnBuildInitialized(IReadOnlyCollection<ExecutableTarget> executableTargets, IReadOnlyCollection<ExecutableTarget> executionPlan)
    {
        if (!Build.Help && executionPlan.Count > 0)
            return;

        Host.Debug(GetTargetsText());
        Host.Debug(GetParametersText());
        BuildManager.EndProcess(0);
    }

    internal string GetTargetsText()
    {
        var text = new StringBuilder("Targets (with their direct dependencies):").AppendLine().AppendLine();
        var width = Math.Max(Build.ExecutableTargets.Max(x => x.Name.Length), 20);
        foreach (var target in Build.ExecutableTargets.Where(x => x.Listed))
        {
            var name = target.IsDefault ? $"{target.Name} (default)" : target.Name;
            var dependencies = target.ExecutionDependencies.Count > 0 ? $" -> {string.Join(", ", target.ExecutionDependencies.Select(x => x.Name))}" : string.Empty;
            text.AppendLine($"  {name.PadRight(width)}{dependencies}");
            if (!string.IsNullOrWhiteSpace(target.Description))
                text.AppendLine($"    {target.Description}");
        }

        return text.ToString();
    }

    internal string GetParametersText()
    {
        var parameters = ValueInjectionUtility.GetParameterMembers(Build.GetType(), includeUnlisted: false);
        var width = Math.Max(parameters.Max(x => ParameterService.GetParameterDashedName(x).Length), MinimumWidth);
        var defaultTargets = Build.ExecutableTargets.Where(x => x.IsDefault).Select(x => x.Name).ToList();
        var text = new StringBuilder("Parameters:").AppendLine();

        var own = parameters.Where(x => x.DeclaringType != typeof(NukeBuild)).ToList();
        if (own.Count > 0)
            text.AppendLine();
        own.ForEach(Append);
        text.AppendLine();
        parameters.Except(own).ToList().ForEach(Append);
        return text.ToString();

        void Append(MemberInfo parameter)
        {
            var description = ParameterService.GetParameterDescription(parameter)?
                .Replace("{default_target}", defaultTargets.Count > 0 ? string.Join(", ", defaultTargets) : "<none>", StringComparison.Ordinal);
            var lines = Wrap(description is null ? "<no description>" : description + ".", LineWidth - width - 6);
            text.AppendLine($"  --{ParameterService.GetParameterDashedName(parameter).PadRight(width)}   {lines[0]}");
            foreach (var line in lines.Skip(1))
                text.AppendLine($"{new string(' ', width + 7)}{line}");
        }
    }

    private static List<string> Wrap(string text, int width)
    {
        var lines = new List<string> { string.Empty };
        foreach (var word in text.Split(' '))
        {
            if (lines[^1].Length > 0 && lines[^1].Length + word.Length >= width)
                lines.Add(string.Empty);
            lines[^1] = lines[^1].Length == 0 ? word : $"{lines[^1]} {word}";
        }

        return lines;
    }
}
