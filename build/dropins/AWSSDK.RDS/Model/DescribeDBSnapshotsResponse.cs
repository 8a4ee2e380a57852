using System.Xml.Linq;
using Amazon.RDS.Internal;
using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The answer to <see cref="DescribeDBSnapshotsRequest"/>.</summary>
public partial class DescribeDBSnapshotsResponse : AmazonWebServiceResponse
{
    public List<DBSnapshot> DBSnapshots { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public string Marker { get; set; }

    internal void Read(XElement xml)
    {
        DBSnapshots = xml.List("DBSnapshots", "DBSnapshot", DBSnapshot.Read);
        Marker = xml.Text("Marker");
    }
}
