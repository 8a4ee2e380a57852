using System.Xml.Linq;
using Amazon.RDS.Internal;
using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The answer to <see cref="ModifyDBInstanceRequest"/>.</summary>
public partial class ModifyDBInstanceResponse : AmazonWebServiceResponse
{
    public DBInstance DBInstance { get; set; }

    internal void Read(XElement xml)
    {
        DBInstance = xml.Structure("DBInstance", DBInstance.Read);
    }
}
