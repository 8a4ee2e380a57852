using System.Globalization;
using System.Xml.Linq;

namespace Amazon.RDS.Internal;

/// <summary>Reads members of an answer, whatever its namespace.</summary>
internal static class Xml
{
    public static XElement Child(this XElement parent, string name) => parent.Elements().FirstOrDefault(element => element.Name.LocalName == name);

    public static string Text(this XElement parent, string name) => parent.Child(name)?.Value;

    public static int? Int(this XElement parent, string name) => parent.Text(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    public static long? Long(this XElement parent, string name) => parent.Text(name) is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;

    public static bool? Bool(this XElement parent, string name) => parent.Text(name) is { Length: > 0 } text ? bool.Parse(text) : null;

    /// <summary>UTC, as the package gives it.</summary>
    public static DateTime? Time(this XElement parent, string name) =>
        parent.Text(name) is { Length: > 0 } text ? DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal) : null;

    /// <summary>The elements of a list; null where the answer has none, unless collections are to be initialised.</summary>
    public static List<T> List<T>(this XElement parent, string name, string element, Func<XElement, T> read)
    {
        var found = parent.Child(name)?.Elements().Where(child => child.Name.LocalName == element).Select(read).ToList();
        return found is { Count: > 0 } || AWSConfigs.InitializeCollections ? found ?? [] : null;
    }

    public static T Structure<T>(this XElement parent, string name, Func<XElement, T> read)
        where T : class => parent.Child(name) is { } child ? read(child) : null;
}
