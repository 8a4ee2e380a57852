using System.Linq.Expressions;
using System.Reflection;
using Nuke.Common.Utilities;

namespace Nuke.Common.ValueInjection;

/// <summary>Finds the members that take values, and gives them theirs.</summary>
internal static class ValueInjectionUtility
{
    // Of the base class only these are set here; the others are resolved in its static constructor or are lists of targets.
    private static readonly string[] s_injectedBaseMembers =
        [nameof(NukeBuild.Plan), nameof(NukeBuild.Help), nameof(NukeBuild.Continue), nameof(NukeBuild.NoLogo), nameof(NukeBuild.Verbosity), nameof(NukeBuild.Partition)];

    private static readonly Dictionary<MemberInfo, object> s_valueCache = [];
    private static readonly Dictionary<Type, List<(MemberInfo Member, ValueInjectionAttributeBase Attribute)>> s_members = [];

    public static T TryGetValue<T>(Expression<Func<T>> expression)
        where T : class
        => TryGetValueWithCache<T>(expression);

    public static T TryGetValue<T>(Expression<Func<object>> expression) => TryGetValueWithCache<T>(expression);

    public static void InjectValues(INukeBuild build, Func<MemberInfo, ValueInjectionAttributeBase, bool> filter)
    {
        var members = GetInjectionMembers(build.GetType())
            .Where(x => filter(x.Member, x.Attribute))
            .Where(x => x.Member.DeclaringType != typeof(NukeBuild) || s_injectedBaseMembers.Contains(x.Member.Name))
            .Where(x => !x.Member.ReflectedType.NotNull().IsInterface)
            .OrderBy(x => Depth(x.Member.DeclaringType))
            .ThenByDescending(x => x.Attribute.Priority);

        foreach (var (member, attribute) in members)
        {
            attribute.Build = build;
            var value = attribute.TryGetValue(member, build);
            if (value is null)
                continue;

            Assert.True(
                MemberUtility.TypeOf(member).IsAssignableFrom(value.GetType()),
                $"Member '{member.Name}' must be of type '{value.GetType().Name}' to get its value injected from '{attribute.GetType().Name}'");
            MemberUtility.SetValue(member, build, value);
        }
    }

    public static List<MemberInfo> GetParameterMembers(Type type, bool includeUnlisted) =>
        [.. GetInjectionMembers(type)
            .Where(x => x.Attribute is ParameterAttribute parameter && (includeUnlisted || parameter.List))
            .Select(x => x.Member)
            .OrderBy(ParameterService.GetParameterMemberName, StringComparer.OrdinalIgnoreCase)];

    public static IReadOnlyCollection<(MemberInfo Member, ValueInjectionAttributeBase Attribute)> GetInjectionMembers(Type type)
    {
        if (s_members.TryGetValue(type, out var members))
            return members;

        var ofClass = FieldsAndProperties(type).Where(x => !x.Name.Contains('.', StringComparison.Ordinal)).ToList();
        var ofInterfaces = type.GetInterfaces()
            .SelectMany(FieldsAndProperties)
            .Where(x => !ofClass.Exists(y => y.Name == x.Name));
        members =
        [
            .. ofClass.Concat(ofInterfaces)
                .Where(x => x.IsDefined(typeof(ValueInjectionAttributeBase), inherit: true))
                .OrderBy(x => x.Name, StringComparer.Ordinal)
                .Select(x => (x, x.GetCustomAttribute<ValueInjectionAttributeBase>())),
        ];
        return s_members[type] = members;
    }

    private static IEnumerable<MemberInfo> FieldsAndProperties(Type type) =>
        type.GetFields(MemberUtility.All).Cast<MemberInfo>().Concat(type.GetProperties(MemberUtility.All));

    private static int Depth(Type type)
    {
        var depth = 0;
        for (var current = type; current is not null; current = current.BaseType)
            depth++;
        return depth;
    }

    private static T TryGetValueWithCache<T>(LambdaExpression expression)
    {
        var member = MemberUtility.GetMember(expression);
        if (!s_valueCache.TryGetValue(member, out var value) || value is null)
        {
            var instance = MemberUtility.GetTarget(expression);
            var attribute = member.GetCustomAttribute<ValueInjectionAttributeBase>().NotNull();
            attribute.Build = instance as INukeBuild;
            s_valueCache[member] = value = attribute.TryGetValue(member, instance);
        }

        return (T)value;
    }
}
