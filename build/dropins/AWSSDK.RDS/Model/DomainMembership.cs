using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>A directory that an instance belongs to.</summary>
public partial class DomainMembership
{
    public string Domain { get; set; }

    public string IAMRoleName { get; set; }

    public string Status { get; set; }

    internal static DomainMembership Read(XElement xml) => new()
    {
        Domain = xml.Text("Domain"),
        IAMRoleName = xml.Text("IAMRoleName"),
        Status = xml.Text("Status"),
    };
}
