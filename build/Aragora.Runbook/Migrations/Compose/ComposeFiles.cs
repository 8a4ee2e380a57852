using System.ComponentModel;
using System.Globalization;

namespace Aragora.Runbook.Migrations.Compose;

/// <summary>Compose files as Compose's own <c>COMPOSE_FILE</c> names them: separated as a PATH is (<c>:</c>, on Windows <c>;</c>).</summary>
/// <remarks>The build reads a parameter from any variable of its name, and <c>COMPOSE_FILE</c> is this one's: so both are read alike.</remarks>
[TypeConverter(typeof(ComposeFilesConverter))]
public sealed record ComposeFiles(IReadOnlyList<string> Paths)
{
    /// <summary>Reads the list; relative paths start from the working directory, as Compose's do.</summary>
    /// <exception cref="FormatException">It names none.</exception>
    public static ComposeFiles Parse(string text)
    {
        var paths = text.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(path => Path.GetFullPath(path)).ToList();
        return paths.Count > 0 ? new ComposeFiles(paths) : throw new FormatException("it names no file");
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(Path.PathSeparator, Paths);
}

/// <summary>Lets NUKE, and everything else that asks <see cref="TypeDescriptor"/>, read <see cref="ComposeFiles"/>.</summary>
public sealed class ComposeFilesConverter : TypeConverter
{
    /// <inheritdoc/>
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

    /// <inheritdoc/>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => value is string text ? ComposeFiles.Parse(text) : base.ConvertFrom(context, culture, value);
}
