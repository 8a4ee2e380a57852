using System.Xml.Linq;
using Amazon.RDS.Internal;
using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The answer to <see cref="CreateDBClusterSnapshotRequest"/>.</summary>
public partial class CreateDBClusterSnapshotResponse : AmazonWebServiceResponse
{
    public DBClusterSnapshot DBClusterSnapshot { get; set; }

    internal void Read(XElement xml)
    {
        DBClusterSnapshot = xml.Structure("DBClusterSnapshot", DBClusterSnapshot.Read);
    }
}
