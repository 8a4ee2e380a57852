using System.ComponentModel;
using System.Globalization;

namespace Aragora.Runbook.Rollbacks;

/// <summary>How many writes since the backup a restore may lose: a number, the most that may be lost, or <c>unknown</c>, where the server cannot tell.</summary>
/// <param name="Most">The number; null for <c>unknown</c>.</param>
[TypeConverter(typeof(AcceptedWritesConverter))]
public readonly record struct AcceptedWrites(long? Most)
{
    /// <summary>The word for a number that nobody knows.</summary>
    public const string UnknownWord = "unknown";

    /// <summary>Nothing may be lost.</summary>
    public static AcceptedWrites None { get; } = new(0);

    /// <summary>It is accepted that the number is not known; where it is known after all, nothing is.</summary>
    public static AcceptedWrites Unknown { get; } = new(null);

    /// <summary>Reads what a person typed.</summary>
    /// <exception cref="FormatException">It is neither a number nor <c>unknown</c>.</exception>
    public static AcceptedWrites Parse(string text) =>
        text.Trim().Equals(UnknownWord, StringComparison.OrdinalIgnoreCase) ? Unknown
        : long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? new AcceptedWrites(number)
        : throw new FormatException($"\"{text}\" is neither a number of writes nor the word {UnknownWord}");

    /// <summary>Whether this covers what was counted.</summary>
    /// <param name="lost">The number that was counted; null where it is not known.</param>
    public bool Covers(long? lost) => lost is { } known ? known <= (Most ?? 0) : Most is null;

    /// <inheritdoc/>
    public override string ToString() => Most?.ToString(CultureInfo.InvariantCulture) ?? UnknownWord;
}

/// <summary>Lets NUKE, and everything else that asks <see cref="TypeDescriptor"/>, read <see cref="AcceptedWrites"/>.</summary>
public sealed class AcceptedWritesConverter : TypeConverter
{
    /// <inheritdoc/>
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

    /// <inheritdoc/>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => value is string text ? AcceptedWrites.Parse(text) : base.ConvertFrom(context, culture, value);
}
