using System.ComponentModel;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Aragora.Runbook.Adapters.Kubernetes;

/// <summary>Where a port-forward leads: <c>pod/NAME:PORT</c> or <c>service/NAME:PORT</c>.</summary>
/// <param name="IsService">Whether it is a service, one of whose ready pods is taken.</param>
/// <param name="Name">Its name.</param>
/// <param name="Port">The service's port, or the pod's.</param>
[TypeConverter(typeof(PortForwardTargetConverter))]
public sealed partial record PortForwardTarget(bool IsService, string Name, int Port)
{
    /// <summary>Reads it as people write it.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static PortForwardTarget Parse(string text)
    {
        var match = Pattern().Match(text.Trim());
        return match.Success && int.Parse(match.Groups["port"].Value, CultureInfo.InvariantCulture) is > 0 and <= 65535 and var port
            ? new PortForwardTarget(match.Groups["kind"].Value is "service" or "svc", match.Groups["name"].Value, port)
            : throw new FormatException($"\"{text}\" is not of the form pod/NAME:5432 or service/NAME:5432");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{(IsService ? "service" : "pod")}/{Name}:{Port}";

    [GeneratedRegex(@"^(?<kind>pod|service|svc)/(?<name>[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?):(?<port>\d{1,5})$", RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}

/// <summary>Lets NUKE, and everything else that asks <see cref="TypeDescriptor"/>, read a <see cref="PortForwardTarget"/>.</summary>
public sealed class PortForwardTargetConverter : TypeConverter
{
    /// <inheritdoc/>
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

    /// <inheritdoc/>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => value is string text ? PortForwardTarget.Parse(text) : base.ConvertFrom(context, culture, value);
}
