using System.ComponentModel;
using System.Globalization;
using Nuke.Common.IO;

namespace Nuke.Common.Utilities;

/// <summary>Text to values, by the rules of the type converters of .NET; the common types without loading those.</summary>
internal static class ValueConversion
{
    public static object DefaultOf(Type type) => IsNullable(type) ? null : Activator.CreateInstance(type);

    public static bool IsNullable(Type type) => type.IsClass || Nullable.GetUnderlyingType(type) is not null;

    public static Type ToNullable(Type type) => IsNullable(type) ? type : typeof(Nullable<>).MakeGenericType(type);

    /// <summary>One text that may hold several values. Blank parts do not count.</summary>
    public static object Convert(string value, Type destinationType, char? separator, bool booleanDefault)
    {
        string[] values = separator is { } character ? value.Split(character) : [value];
        return Convert([.. values.Where(x => !string.IsNullOrWhiteSpace(x))], destinationType, booleanDefault);
    }

    /// <summary>No values make an empty array, the given truth, or null.</summary>
    public static object Convert(string[] values, Type destinationType, bool booleanDefault)
    {
        Assert.True(!destinationType.IsArray || destinationType.GetArrayRank() == 1, "Arrays must have a rank of 1");
        if (destinationType.IsArray)
        {
            var elementType = destinationType.GetElementType().NotNull();
            var array = Array.CreateInstance(elementType, values.Length);
            for (var i = 0; i < values.Length; i++)
                array.SetValue(Convert(values[i], elementType), i);
            return array;
        }

        if (values.Length == 0)
            return destinationType == typeof(bool) || destinationType == typeof(bool?) ? booleanDefault : null;

        Assert.True(values.Length == 1, $"Value [ {string.Join(", ", values)} ] cannot be assigned to '{DisplayName(destinationType)}'");
        return Convert(values[0], destinationType);
    }

    /// <summary>One value.</summary>
    public static object Convert(object value, Type destinationType)
    {
        if (destinationType.IsInstanceOfType(value))
            return value;

        if (value is null && destinationType == typeof(string))
            return null;

        var text = System.Convert.ToString(value, CultureInfo.InvariantCulture);
        try
        {
            return Parse(text, Nullable.GetUnderlyingType(destinationType) ?? destinationType)
                ?? TypeDescriptor.GetConverter(destinationType).ConvertFromInvariantString(text);
        }
        catch
        {
            Assert.Fail($"Value '{text}' could not be converted to '{DisplayName(destinationType)}'");
            return null;
        }
    }

    public static string DisplayName(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return DisplayName(underlying) + "?";
        if (type.IsArray)
            return DisplayName(type.GetElementType()) + "[]";
        if (type.IsGenericType)
            return $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(DisplayName))}>";
        if (type.IsEnum)
            return type.Name;

        return Type.GetTypeCode(type) switch
        {
            TypeCode.String => "string",
            TypeCode.Boolean => "bool",
            TypeCode.Int32 => "int",
            TypeCode.Int64 => "long",
            TypeCode.Double => "double",
            TypeCode.Decimal => "decimal",
            _ => type.Name,
        };
    }

    // Null where the converters of .NET have to say.
    private static object Parse(string text, Type type)
    {
        if (type.IsEnum)
            return Enum.Parse(type, text, ignoreCase: true);
        if (type == typeof(bool))
            return bool.Parse(text.Trim());
        if (type == typeof(int))
            return int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;
        if (type == typeof(long))
            return long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;
        if (type == typeof(TimeSpan))
            return TimeSpan.Parse(text.Trim(), CultureInfo.InvariantCulture);
        if (type == typeof(Uri))
            return new Uri(text, UriKind.RelativeOrAbsolute);
        if (type == typeof(AbsolutePath))
            return AbsolutePath.FromText(text);
        return null;
    }
}
