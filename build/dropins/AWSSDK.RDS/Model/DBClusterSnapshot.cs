using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>A cluster's snapshot, as it is described.</summary>
public partial class DBClusterSnapshot
{
    public int? AllocatedStorage { get; set; }

    public DateTime? ClusterCreateTime { get; set; }

    public string DBClusterIdentifier { get; set; }

    public string DbClusterResourceId { get; set; }

    public string DBClusterSnapshotArn { get; set; }

    public string DBClusterSnapshotIdentifier { get; set; }

    public string Engine { get; set; }

    public string EngineVersion { get; set; }

    public string KmsKeyId { get; set; }

    public string MasterUsername { get; set; }

    public int? PercentProgress { get; set; }

    public int? Port { get; set; }

    public DateTime? SnapshotCreateTime { get; set; }

    public string SnapshotType { get; set; }

    public string Status { get; set; }

    public bool? StorageEncrypted { get; set; }

    public string StorageType { get; set; }

    public List<Tag> TagList { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    internal static DBClusterSnapshot Read(XElement xml) => new()
    {
        AllocatedStorage = xml.Int("AllocatedStorage"),
        ClusterCreateTime = xml.Time("ClusterCreateTime"),
        DBClusterIdentifier = xml.Text("DBClusterIdentifier"),
        DbClusterResourceId = xml.Text("DbClusterResourceId"),
        DBClusterSnapshotArn = xml.Text("DBClusterSnapshotArn"),
        DBClusterSnapshotIdentifier = xml.Text("DBClusterSnapshotIdentifier"),
        Engine = xml.Text("Engine"),
        EngineVersion = xml.Text("EngineVersion"),
        KmsKeyId = xml.Text("KmsKeyId"),
        MasterUsername = xml.Text("MasterUsername"),
        PercentProgress = xml.Int("PercentProgress"),
        Port = xml.Int("Port"),
        SnapshotCreateTime = xml.Time("SnapshotCreateTime"),
        SnapshotType = xml.Text("SnapshotType"),
        Status = xml.Text("Status"),
        StorageEncrypted = xml.Bool("StorageEncrypted"),
        StorageType = xml.Text("StorageType"),
        TagList = xml.List("TagList", "Tag", Tag.Read),
    };
}
