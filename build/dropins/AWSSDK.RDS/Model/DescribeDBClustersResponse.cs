using System.Xml.Linq;
using Amazon.RDS.Internal;
using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The answer to <see cref="DescribeDBClustersRequest"/>.</summary>
public partial class DescribeDBClustersResponse : AmazonWebServiceResponse
{
    public List<DBCluster> DBClusters { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public string Marker { get; set; }

    internal void Read(XElement xml)
    {
        DBClusters = xml.List("DBClusters", "DBCluster", DBCluster.Read);
        Marker = xml.Text("Marker");
    }
}
