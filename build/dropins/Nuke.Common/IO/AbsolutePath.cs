using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using static Nuke.Common.IO.PathConstruction;

namespace Nuke.Common.IO;

/// <summary>Something that has a path.</summary>
public interface IAbsolutePathHolder
{
    AbsolutePath Path { get; }
}

/// <summary>A rooted, normalized path: no dots, no doubled or trailing separators.</summary>
[TypeConverter(typeof(AbsolutePathConverter))]
[DebuggerDisplay("{_path}")]
public class AbsolutePath : IAbsolutePathHolder, IFormattable
{
    public const string DoubleQuote = "d";
    public const string DoubleQuoteIfNeeded = "dn";
    public const string SingleQuote = "s";
    public const string SingleQuoteIfNeeded = "sn";
    public const string NoQuotes = "nq";

    private readonly string _path;

    private AbsolutePath(string path) => _path = NormalizePath(path);

    public string Name => Path.GetFileName(_path);

    public string NameWithoutExtension => Path.GetFileNameWithoutExtension(_path);

    public string Extension => Path.GetExtension(_path);

    /// <summary>The directory above; null at the root.</summary>
    public AbsolutePath Parent =>
        IsUnixRoot(_path) || IsUncRoot(_path) || IsWinRoot(_path.TrimEnd(WinSeparator)) ? null : this / "..";

    AbsolutePath IAbsolutePathHolder.Path => this;

    public static AbsolutePath Create(string path) => new(path);

    public static implicit operator AbsolutePath(string path)
    {
        if (path is null)
            return null;

        Assert.True(HasPathRoot(path), $"Path '{path}' must be rooted");
        return new AbsolutePath(path);
    }

    public static implicit operator string(AbsolutePath path) => path?.ToString();

    /// <summary>A path below. It must not be rooted.</summary>
    public static AbsolutePath operator /(AbsolutePath left, string right) => new(Combine(left.NotNull(), right));

    /// <summary><c>path / ..</c> is the parent.</summary>
    public static AbsolutePath operator /(AbsolutePath left, Range range)
    {
        Assert.True(range.Equals(Range.All));
        return left.Parent;
    }

    /// <summary>The same path with text at its end.</summary>
    public static AbsolutePath operator +(AbsolutePath left, string right) => new(left.ToString() + right);

    public static bool operator ==(AbsolutePath a, AbsolutePath b) => Equals(a, b);

    public static bool operator !=(AbsolutePath a, AbsolutePath b) => !Equals(a, b);

    protected bool Equals(AbsolutePath other) =>
        string.Equals(_path, other._path, HasWinRoot(_path) ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    public override bool Equals(object obj) => obj is AbsolutePath other && Equals(other);

    public override int GetHashCode() => HasWinRoot(_path) ? StringComparer.OrdinalIgnoreCase.GetHashCode(_path) : StringComparer.Ordinal.GetHashCode(_path);

    public override string ToString() => _path;

    /// <summary>With quotes: see the constants.</summary>
    public string ToString(string format) => ((IFormattable)this).ToString(format, formatProvider: null);

    string IFormattable.ToString(string format, IFormatProvider formatProvider) => format switch
    {
        null or NoQuotes => _path,
        DoubleQuote => Quote('"'),
        DoubleQuoteIfNeeded => _path.Contains(' ', StringComparison.Ordinal) ? Quote('"') : _path,
        SingleQuote => Quote('\''),
        SingleQuoteIfNeeded => _path.Contains(' ', StringComparison.Ordinal) ? Quote('\'') : _path,
        _ => throw new ArgumentException($"Format '{format}' is not recognized", nameof(format)),
    };

    /// <summary>From a command line or a variable: what is not rooted is below the current directory.</summary>
    internal static AbsolutePath FromText(string text) => HasPathRoot(text) ? text : EnvironmentInfo.WorkingDirectory / text;

    private string Quote(char quote) => quote + _path.Replace($"{quote}", $"\\{quote}", StringComparison.Ordinal) + quote;

    private sealed class AbsolutePathConverter : TypeConverter
    {
        public override bool CanConvertFrom(ITypeDescriptorContext context, Type sourceType) =>
            sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

        public override object ConvertFrom(ITypeDescriptorContext context, CultureInfo culture, object value) => value switch
        {
            null => null,
            string text => FromText(text),
            _ => base.ConvertFrom(context, culture, value),
        };
    }
}
