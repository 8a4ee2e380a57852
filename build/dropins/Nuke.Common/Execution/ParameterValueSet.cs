using System.Reflection;
using Nuke.Common.Tooling;
using Nuke.Common.Utilities;
using Serilog;

namespace Nuke.Common.Execution;

/// <summary>The values that a parameter can have, where they can be told.</summary>
internal static class ParameterValueSet
{
    public static List<(string Text, object Object)> Get(MemberInfo member, object instance)
    {
        try
        {
            var attribute = member.GetCustomAttribute<ParameterAttribute>().NotNull();
            var values = attribute.GetValueSet(member, instance) ?? FromProvider(attribute, member, instance) ?? FromType(MemberUtility.ScalarOf(MemberUtility.TypeOf(member)));
            return values is null ? null : [.. values.OrderBy(x => x.Item1, StringComparer.OrdinalIgnoreCase)];
        }
        catch (Exception exception)
        {
            Log.Warning(MemberUtility.Unwrap(exception), "Could not resolve value-set for {Parameter}", MemberUtility.DisplayName(member));
            return null;
        }
    }

    private static IEnumerable<(string, object)> FromProvider(ParameterAttribute attribute, MemberInfo member, object instance)
    {
        if (attribute.ValueProviderMember is null)
            return null;

        var type = attribute.ValueProviderType ?? instance.GetType();
        var provider = type.GetMember(attribute.ValueProviderMember, MemberUtility.All).SingleOrDefault()
            .NotNull($"No single provider '{type.Name}.{member.Name}' found");
        Assert.True(
            MemberUtility.TypeOf(provider) == typeof(IEnumerable<string>),
            $"Value provider '{provider.Name}' must be of type 'IEnumerable<string>'");
        return ((IEnumerable<string>)MemberUtility.GetValue(provider, instance)).Select(x => (x, (object)x));
    }

    private static IEnumerable<(string, object)> FromType(Type type)
    {
        if (type.IsSubclassOf(typeof(Enumeration)))
            return type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(x => (x.Name, x.GetValue(null)));

        return type.IsEnum ? Enum.GetNames(type).Select(x => (x, Enum.Parse(type, x))) : null;
    }
}
