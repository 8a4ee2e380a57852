using System.Reflection;
using Nuke.Common.Utilities;
using Serilog;

namespace Nuke.Common.ValueInjection;

/// <summary>The base of attributes that give a field or property of the build its value.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property)]
public abstract class ValueInjectionAttributeBase : Attribute
{
    /// <summary>The build.</summary>
    public INukeBuild Build { get; internal set; }

    /// <summary>Those with a higher one come first.</summary>
    public virtual int Priority => 0;

    /// <summary>Whether failures are kept quiet.</summary>
    public virtual bool SuppressWarnings => false;

    /// <summary>The value, or null; a failure is a warning.</summary>
    public object TryGetValue(MemberInfo member, object instance)
    {
        try
        {
            return GetValue(member, instance);
        }
        catch (RefusedParameterException)
        {
            throw;
        }
        catch (Exception exception)
        {
            if (!SuppressWarnings && !member.IsDefined(typeof(OptionalAttribute)))
                Log.Warning(MemberUtility.Unwrap(exception), "Could not inject value for {Member}", MemberUtility.DisplayName(member));

            return null;
        }
    }

    /// <summary>The value, or null.</summary>
    public abstract object GetValue(MemberInfo member, object instance);

    /// <summary>The value of another member of the build.</summary>
    protected T GetMemberValue<T>(string memberName, object instance)
    {
        var type = instance.GetType();
        var member = type.GetMember(memberName, MemberUtility.All).FirstOrDefault().NotNull($"No member '{memberName}' found in '{type.Name}'");
        Assert.True(typeof(T).IsAssignableFrom(MemberUtility.TypeOf(member)), $"Member '{type.Name}.{member.Name}' must be of type '{typeof(T).Name}'");
        return (T)MemberUtility.GetValue(member, instance);
    }

    /// <summary>As <see cref="GetMemberValue{T}"/>; no name, no value.</summary>
    protected T GetMemberValueOrNull<T>(string memberName, object instance) =>
        memberName is not null ? GetMemberValue<T>(memberName, instance) : default;
}

/// <summary>A value that must not be passed over with a warning.</summary>
internal sealed class RefusedParameterException(string message) : Exception(message);
