using System.Globalization;
using System.Text.Json;

namespace Nuke.Common.Utilities;

/// <summary>Values of a file of parameters: texts, numbers and truths, and arrays of them. A text may hold the others.</summary>
internal static class JsonConversion
{
    public static object Convert(JsonElement value, Type destinationType)
    {
        if (value.ValueKind == JsonValueKind.Null)
            return null;

        if (destinationType.IsArray)
        {
            Assert.True(value.ValueKind == JsonValueKind.Array, $"Expected an array, but the value is {value.GetRawText()}");
            var elementType = destinationType.GetElementType().NotNull();
            var array = Array.CreateInstance(elementType, value.GetArrayLength());
            var index = 0;
            foreach (var element in value.EnumerateArray())
                array.SetValue(Convert(element, elementType), index++);
            return array;
        }

        Assert.True(
            value.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object),
            $"Value {value.GetRawText()} could not be converted to '{ValueConversion.DisplayName(destinationType)}'");

        var scalar = Nullable.GetUnderlyingType(destinationType) ?? destinationType;
        if (scalar == typeof(bool) && value.ValueKind == JsonValueKind.Number)
            return value.GetDouble() != 0;

        return ValueConversion.Convert((object)Text(value), destinationType);
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => bool.TrueString,
        JsonValueKind.False => bool.FalseString,
        _ => value.GetRawText().ToString(CultureInfo.InvariantCulture),
    };
}
