using System.Linq.Expressions;
using System.Reflection;
using Nuke.Common.Execution;
using Nuke.Common.Utilities;

namespace Nuke.Common.ValueInjection;

/// <summary>Plain parameters get their values as soon as the build exists.</summary>
internal sealed class InjectParameterValuesAttribute : BuildExtensionAttributeBase, IOnBuildCreated
{
    public void OnBuildCreated(IReadOnlyCollection<ExecutableTarget> executableTargets) =>
        ValueInjectionUtility.InjectValues(Build, (_, attribute) => attribute.GetType() == typeof(ParameterAttribute));
}

/// <summary>Everything else gets its value when the plan is known.</summary>
internal sealed class InjectNonParameterValuesAttribute : BuildExtensionAttributeBase, IOnBuildInitialized
{
    public void OnBuildInitialized(IReadOnlyCollection<ExecutableTarget> executableTargets, IReadOnlyCollection<ExecutableTarget> executionPlan) =>
        ValueInjectionUtility.InjectValues(Build, (member, attribute) => attribute.GetType() != typeof(ParameterAttribute) && IsWanted(member, executionPlan));

    private bool IsWanted(MemberInfo member, IReadOnlyCollection<ExecutableTarget> executionPlan)
    {
        if (!Build.GetType().IsDefined(typeof(OnDemandValueInjectionAttribute), inherit: true) && !member.IsDefined(typeof(OnDemandAttribute), inherit: true))
            return true;

        return !member.IsDefined(typeof(RequiredAttribute), inherit: true)
            && executionPlan
                .SelectMany(x => x.DelegateRequirements)
                .Where(x => x is not Expression<Func<bool>>)
                .Any(x => MemberUtility.GetMember(x) == member);
    }
}
