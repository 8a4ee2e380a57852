using System.Xml.Linq;
using Amazon.RDS.Internal;
using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The answer to <see cref="DeleteDBSnapshotRequest"/>.</summary>
public partial class DeleteDBSnapshotResponse : AmazonWebServiceResponse
{
    public DBSnapshot DBSnapshot { get; set; }

    internal void Read(XElement xml)
    {
        DBSnapshot = xml.Structure("DBSnapshot", DBSnapshot.Read);
    }
}
