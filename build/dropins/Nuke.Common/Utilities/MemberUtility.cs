using System.Linq.Expressions;
using System.Reflection;

namespace Nuke.Common.Utilities;

/// <summary>Fields and properties alike.</summary>
internal static class MemberUtility
{
    public const BindingFlags Instance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
    public const BindingFlags All = Instance | BindingFlags.Static | BindingFlags.FlattenHierarchy;

    public static Type TypeOf(MemberInfo member) => member switch
    {
        FieldInfo field => field.FieldType,
        PropertyInfo property => property.PropertyType,
        MethodInfo method => method.ReturnType,
        _ => throw new NotSupportedException(member.ToString()),
    };

    /// <summary>Null-able or element type stripped.</summary>
    public static Type ScalarOf(Type type) => Nullable.GetUnderlyingType(type) ?? (type.IsArray ? type.GetElementType() : type);

    public static bool IsStatic(MemberInfo member) => member switch
    {
        FieldInfo field => field.IsStatic,
        PropertyInfo property => (property.GetMethod ?? property.SetMethod).IsStatic,
        MethodInfo method => method.IsStatic,
        _ => throw new NotSupportedException(member.ToString()),
    };

    public static object GetValue(MemberInfo member, object instance)
    {
        var target = IsStatic(member) ? null : instance;
        return member switch
        {
            FieldInfo field => field.GetValue(target),
            PropertyInfo property => property.GetValue(target),
            MethodInfo method => method.Invoke(target, []),
            _ => throw new NotSupportedException(member.ToString()),
        };
    }

    /// <summary>Sets also what has no setter: read-only fields, and properties by the field behind them.</summary>
    public static void SetValue(MemberInfo member, object instance, object value)
    {
        var target = IsStatic(member) ? null : instance;
        if (member is FieldInfo field)
        {
            field.SetValue(target, value);
            return;
        }

        var property = (PropertyInfo)member;
        var backing = property.DeclaringType.GetField($"<{property.Name}>k__BackingField", Instance | BindingFlags.Static);
        if (backing is not null)
        {
            backing.SetValue(target, value);
            return;
        }

        Assert.True(property.SetMethod is not null, $"Property '{property.Name}' is not settable");
        property.SetValue(target, value);
    }

    /// <summary>The member that a lambda reads.</summary>
    public static MemberInfo GetMember(LambdaExpression expression) => expression.Body switch
    {
        MethodCallExpression call => call.Method,
        UnaryExpression { Operand: MemberExpression member } => member.Member,
        MemberExpression member => member.Member,
        _ => throw new ArgumentException($"'{expression}' does not read a member", nameof(expression)),
    };

    /// <summary>The object that a lambda reads the member of, where it is a constant (<c>this</c>).</summary>
    public static object GetTarget(LambdaExpression expression) =>
        ((expression.Body as MemberExpression)?.Expression as ConstantExpression)?.Value;

    /// <summary>An explicit interface member's name without the interface.</summary>
    public static string ShortName(MemberInfo member) => member.Name[(member.Name.LastIndexOf('.') + 1)..];

    public static string DisplayName(MemberInfo member) => $"{member.DeclaringType?.Name}.{ShortName(member)}";

    /// <summary>The exception behind those that reflection and tasks wrap around it.</summary>
    public static Exception Unwrap(Exception exception) => exception switch
    {
        TypeInitializationException { InnerException: { } inner } => Unwrap(inner),
        TargetInvocationException { InnerException: { } inner } => Unwrap(inner),
        AggregateException aggregate => aggregate.Flatten(),
        _ => exception,
    };
}
