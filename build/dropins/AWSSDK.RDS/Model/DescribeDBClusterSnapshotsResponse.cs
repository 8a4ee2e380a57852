using System.Xml.Linq;
using Amazon.RDS.Internal;
using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The answer to <see cref="DescribeDBClusterSnapshotsRequest"/>.</summary>
public partial class DescribeDBClusterSnapshotsResponse : AmazonWebServiceResponse
{
    public List<DBClusterSnapshot> DBClusterSnapshots { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public string Marker { get; set; }

    internal void Read(XElement xml)
    {
        DBClusterSnapshots = xml.List("DBClusterSnapshots", "DBClusterSnapshot", DBClusterSnapshot.Read);
        Marker = xml.Text("Marker");
    }
}
