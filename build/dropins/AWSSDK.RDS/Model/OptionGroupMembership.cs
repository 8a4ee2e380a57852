using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>An option group of an instance.</summary>
public partial class OptionGroupMembership
{
    public string OptionGroupName { get; set; }

    public string Status { get; set; }

    internal static OptionGroupMembership Read(XElement xml) => new()
    {
        OptionGroupName = xml.Text("OptionGroupName"),
        Status = xml.Text("Status"),
    };
}
