using System.ComponentModel;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Aragora.Runbook.Applications;

/// <summary>What a part of the application is.</summary>
public enum ApplicationKind
{
    /// <summary>A Kubernetes Deployment.</summary>
    Deployment,

    /// <summary>A Kubernetes StatefulSet.</summary>
    StatefulSet,

    /// <summary>A service of Docker Compose.</summary>
    Compose,
}

/// <summary>A part of the application, as people name it: <c>deployment/NAME</c>, <c>statefulset/NAME</c> or <c>compose/SERVICE</c>.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name.</param>
[TypeConverter(typeof(ApplicationNameConverter))]
public sealed partial record ApplicationName(ApplicationKind Kind, string Name)
{
    /// <summary>The forms there are, for messages.</summary>
    public const string Forms = "deployment/NAME|statefulset/NAME|compose/SERVICE";

    /// <summary>Whether it lives in a Kubernetes cluster.</summary>
    public bool IsInCluster => Kind != ApplicationKind.Compose;

    /// <summary>Reads one.</summary>
    /// <exception cref="FormatException">It is none; the message says what is wrong.</exception>
    public static ApplicationName Parse(string text)
    {
        var parts = text.Trim().Split('/');
        if (parts.Length != 2 || Kinds.All(kind => kind.Word != parts[0]))
        {
            throw new FormatException($"\"{text}\" is none of {Forms}");
        }

        var kind = Kinds.First(known => known.Word == parts[0]).Kind;
        var fits = kind == ApplicationKind.Compose ? ServicePattern().IsMatch(parts[1]) : ObjectPattern().IsMatch(parts[1]);
        return fits ? new ApplicationName(kind, parts[1]) : throw new FormatException($"\"{parts[1]}\" is no name of a {(kind == ApplicationKind.Compose ? "service" : "Kubernetes object: lower case letters, digits, \"-\" and \".\"")}");
    }

    /// <summary>As it is typed.</summary>
    public override string ToString() => $"{Kinds.First(known => known.Kind == Kind).Word}/{Name}";

    private static readonly (string Word, ApplicationKind Kind)[] Kinds =
        [("deployment", ApplicationKind.Deployment), ("statefulset", ApplicationKind.StatefulSet), ("compose", ApplicationKind.Compose)];

    /// <summary>RFC 1123, as the API server wants it.</summary>
    [GeneratedRegex(@"^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex ObjectPattern();

    /// <summary>As the Compose specification has it; never one that the tool would take for a switch.</summary>
    [GeneratedRegex("^[a-zA-Z0-9_][a-zA-Z0-9._-]*$", RegexOptions.CultureInvariant)]
    private static partial Regex ServicePattern();
}

/// <summary>Lets NUKE, and everything else that asks <see cref="TypeDescriptor"/>, read an <see cref="ApplicationName"/>.</summary>
public sealed class ApplicationNameConverter : TypeConverter
{
    /// <inheritdoc/>
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

    /// <inheritdoc/>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => value is string text ? ApplicationName.Parse(text) : base.ConvertFrom(context, culture, value);
}
