using System.ComponentModel;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Aragora.Runbook.Inputs;

/// <summary>A length of time as people write it: <c>500ms</c>, <c>5s</c>, <c>10min</c>, <c>24h</c>, <c>7d</c>.</summary>
/// <remarks>A bare number is refused: <see cref="TimeSpan"/> reads "5" as five days.</remarks>
[TypeConverter(typeof(DurationConverter))]
public readonly partial record struct Duration(TimeSpan Value)
{
    /// <summary>Reads a length of time.</summary>
    /// <exception cref="FormatException">It is not one, or it is negative.</exception>
    public static Duration Parse(string text)
    {
        var match = Pattern().Match(text.Trim());
        if (!match.Success)
        {
            throw new FormatException($"\"{text}\" is not a length of time such as 500ms, 5s, 10min, 24h or 7d");
        }

        var number = double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);
        return new Duration(match.Groups["unit"].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" or "min" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => TimeSpan.FromDays(number),
        });
    }

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("c", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<number>\d{1,7}(\.\d{1,3})?)(?<unit>ms|s|min|m|h|d)$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}

/// <summary>Lets NUKE, and everything else that asks <see cref="TypeDescriptor"/>, read a <see cref="Duration"/>.</summary>
public sealed class DurationConverter : TypeConverter
{
    /// <inheritdoc/>
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

    /// <inheritdoc/>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => value is string text ? Duration.Parse(text) : base.ConvertFrom(context, culture, value);
}
