using System.Xml.Linq;
using Amazon.RDS.Internal;
using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The answer to <see cref="CreateDBSnapshotRequest"/>.</summary>
public partial class CreateDBSnapshotResponse : AmazonWebServiceResponse
{
    public DBSnapshot DBSnapshot { get; set; }

    internal void Read(XElement xml)
    {
        DBSnapshot = xml.Structure("DBSnapshot", DBSnapshot.Read);
    }
}
