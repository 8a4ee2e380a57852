using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>An instance of a cluster.</summary>
public partial class DBClusterMember
{
    public string DBInstanceIdentifier { get; set; }

    public bool? IsClusterWriter { get; set; }

    internal static DBClusterMember Read(XElement xml) => new()
    {
        DBInstanceIdentifier = xml.Text("DBInstanceIdentifier"),
        IsClusterWriter = xml.Bool("IsClusterWriter"),
    };
}
