using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Where in the network an instance lies.</summary>
public partial class DBSubnetGroup
{
    public string DBSubnetGroupName { get; set; }

    public string VpcId { get; set; }

    internal static DBSubnetGroup Read(XElement xml) => new()
    {
        DBSubnetGroupName = xml.Text("DBSubnetGroupName"),
        VpcId = xml.Text("VpcId"),
    };
}
