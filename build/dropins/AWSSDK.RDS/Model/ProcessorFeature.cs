using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>A setting of the processor.</summary>
public partial class ProcessorFeature
{
    public string Name { get; set; }

    public string Value { get; set; }

    internal static ProcessorFeature Read(XElement xml) => new()
    {
        Name = xml.Text("Name"),
        Value = xml.Text("Value"),
    };
}
