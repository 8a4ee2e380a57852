using System.Linq.Expressions;
using System.Reflection;
using Nuke.Common.Utilities;
using Nuke.Common.ValueInjection;

namespace Nuke.Common.Execution;

/// <summary>Checks before the first target what the scheduled ones require.</summary>
internal static class DelegateRequirementService
{
    public static void ValidateRequirements(INukeBuild build, IReadOnlyCollection<ExecutableTarget> scheduledTargets)
    {
        foreach (var target in scheduledTargets)
        {
            foreach (var requirement in target.DelegateRequirements)
            {
                if (requirement is Expression<Func<bool>> condition)
                    Assert.True(condition.Compile(preferInterpretation: true)(), $"Target '{target.Name}' requires '{requirement.Body}'");
                else if (IsNullOrEmpty(MemberUtility.GetMember(requirement), build, target))
                    Assert.Fail($"Target '{target.Name}' requires member '{GetName(MemberUtility.GetMember(requirement))}' to be not null or empty");
            }
        }

        foreach (var (member, _) in ValueInjectionUtility.GetInjectionMembers(build.GetType()))
        {
            if (member.IsDefined(typeof(RequiredAttribute), inherit: true) && IsNullOrEmpty(member, build, target: null))
                Assert.Fail($"Member '{GetName(member)}' is required to be not null or empty");
        }
    }

    private static bool IsNullOrEmpty(MemberInfo member, INukeBuild build, ExecutableTarget target)
    {
        if (member.DeclaringType != build.GetType())
            member = build.GetType().GetMember(member.Name).SingleOrDefault() ?? member;

        var from = target is not null ? $"from target '{target.Name}' " : string.Empty;
        Assert.True(
            member.IsDefined(typeof(ValueInjectionAttributeBase), inherit: true),
            $"Member '{GetName(member)}' is required {from}but not marked with an injection attribute.");

        if (build.Host is Terminal && member.IsDefined(typeof(ParameterAttribute), inherit: true))
            ParameterPrompt.AskUntilGiven(member, build);

        return MemberUtility.GetValue(member, build) switch
        {
            null => true,
            string text => string.IsNullOrWhiteSpace(text),
            _ => false,
        };
    }

    private static string GetName(MemberInfo member) =>
        member.IsDefined(typeof(ParameterAttribute), inherit: true) ? ParameterService.GetParameterMemberName(member) : member.Name;
}
