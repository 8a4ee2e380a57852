using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>A security group of an instance.</summary>
public partial class VpcSecurityGroupMembership
{
    public string Status { get; set; }

    public string VpcSecurityGroupId { get; set; }

    internal static VpcSecurityGroupMembership Read(XElement xml) => new()
    {
        Status = xml.Text("Status"),
        VpcSecurityGroupId = xml.Text("VpcSecurityGroupId"),
    };
}
