using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>A tag.</summary>
public partial class Tag
{
    public string Key { get; set; }

    public string Value { get; set; }

    internal static Tag Read(XElement xml) => new()
    {
        Key = xml.Text("Key"),
        Value = xml.Text("Value"),
    };
}
