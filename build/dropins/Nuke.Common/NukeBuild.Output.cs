using System.Reflection;
using Nuke.Common.Utilities;

namespace Nuke.Common;

public abstract partial class NukeBuild
{
    private List<DisableDefaultOutputAttribute> _disabledOutputs;

    internal void WriteLogo()
    {
        if (IsOutputEnabled(DefaultOutput.Logo))
            Host.WriteLogo();

        var version = typeof(NukeBuild).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        Host.Information($"NUKE Execution Engine {version}");
        Host.Information();
    }

    internal IDisposable WriteTarget(string target)
    {
        var output = Host.CanCollapse ? DefaultOutput.TargetCollapse : DefaultOutput.TargetHeader;
        return IsOutputEnabled(output) ? Host.WriteBlock(target) : DelegateDisposable.CreateBracket();
    }

    internal void WriteErrorsAndWarnings()
    {
        if (IsOutputEnabled(DefaultOutput.ErrorsAndWarnings))
            Host.WriteErrorsAndWarnings();
    }

    internal void WriteTargetOutcome()
    {
        if (IsOutputEnabled(DefaultOutput.TargetOutcome))
            Host.WriteTargetOutcome(this);
    }

    internal void WriteBuildOutcome()
    {
        if (IsOutputEnabled(DefaultOutput.BuildOutcome))
            Host.WriteBuildOutcome(this);
    }

    private bool IsOutputEnabled(DefaultOutput output)
    {
        _disabledOutputs ??= [.. GetType().GetCustomAttributes<DisableDefaultOutputAttribute>()];
        return !_disabledOutputs.Any(x => x.IsApplicable(this) && x.DisabledOutputs.Contains(output));
    }
}
