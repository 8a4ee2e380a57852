using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>An Aurora cluster, as it is described.</summary>
public partial class DBCluster
{
    public int? AllocatedStorage { get; set; }

    public string DBClusterArn { get; set; }

    public string DBClusterIdentifier { get; set; }

    public List<DBClusterMember> DBClusterMembers { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    public string DbClusterResourceId { get; set; }

    public string Endpoint { get; set; }

    public string Engine { get; set; }

    public string EngineVersion { get; set; }

    public string KmsKeyId { get; set; }

    public string MasterUsername { get; set; }

    public int? Port { get; set; }

    public string ReaderEndpoint { get; set; }

    public string Status { get; set; }

    public bool? StorageEncrypted { get; set; }

    public List<Tag> TagList { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    internal static DBCluster Read(XElement xml) => new()
    {
        AllocatedStorage = xml.Int("AllocatedStorage"),
        DBClusterArn = xml.Text("DBClusterArn"),
        DBClusterIdentifier = xml.Text("DBClusterIdentifier"),
        DBClusterMembers = xml.List("DBClusterMembers", "DBClusterMember", DBClusterMember.Read),
        DbClusterResourceId = xml.Text("DbClusterResourceId"),
        Endpoint = xml.Text("Endpoint"),
        Engine = xml.Text("Engine"),
        EngineVersion = xml.Text("EngineVersion"),
        KmsKeyId = xml.Text("KmsKeyId"),
        MasterUsername = xml.Text("MasterUsername"),
        Port = xml.Int("Port"),
        ReaderEndpoint = xml.Text("ReaderEndpoint"),
        Status = xml.Text("Status"),
        StorageEncrypted = xml.Bool("StorageEncrypted"),
        TagList = xml.List("TagList", "Tag", Tag.Read),
    };
}
