using System.Reflection;
using Nuke.Common.Utilities;
using Nuke.Common.ValueInjection;

namespace Nuke.Common.CI;

/// <summary>Gives a member of a host's type the host, or null where another one is running.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Field | AttributeTargets.Property)]
public class CIAttribute : ValueInjectionAttributeBase
{
    /// <inheritdoc />
    public override object GetValue(MemberInfo member, object instance)
    {
        var type = MemberUtility.TypeOf(member);
        var property = type.GetProperty(nameof(Host.Instance), BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic);
        Assert.True(property is not null, $"Type '{type}' is not compatible for injection via '{nameof(CIAttribute)}'");
        return property.GetValue(null);
    }
}
