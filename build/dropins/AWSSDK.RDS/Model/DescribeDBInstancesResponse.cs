using System.Xml.Linq;
using Amazon.RDS.Internal;
using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The answer to <see cref="DescribeDBInstancesRequest"/>.</summary>
public partial class DescribeDBInstancesResponse : AmazonWebServiceResponse
{
    public List<DBInstance> DBInstances { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public string Marker { get; set; }

    internal void Read(XElement xml)
    {
        DBInstances = xml.List("DBInstances", "DBInstance", DBInstance.Read);
        Marker = xml.Text("Marker");
    }
}
