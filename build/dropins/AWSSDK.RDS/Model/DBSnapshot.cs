using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>An instance's snapshot, as it is described.</summary>
public partial class DBSnapshot
{
    public int? AllocatedStorage { get; set; }

    public string AvailabilityZone { get; set; }

    public string DBInstanceIdentifier { get; set; }

    public string DbiResourceId { get; set; }

    public string DBSnapshotArn { get; set; }

    public string DBSnapshotIdentifier { get; set; }

    public bool? Encrypted { get; set; }

    public string Engine { get; set; }

    public string EngineVersion { get; set; }

    public DateTime? InstanceCreateTime { get; set; }

    public string KmsKeyId { get; set; }

    public string MasterUsername { get; set; }

    public string OptionGroupName { get; set; }

    public int? PercentProgress { get; set; }

    public int? Port { get; set; }

    public DateTime? SnapshotCreateTime { get; set; }

    public string SnapshotType { get; set; }

    public string Status { get; set; }

    public string StorageType { get; set; }

    public List<Tag> TagList { get; set; } = AWSConfigs.InitializeCollections ? [] : null;

    internal static DBSnapshot Read(XElement xml) => new()
    {
        AllocatedStorage = xml.Int("AllocatedStorage"),
        AvailabilityZone = xml.Text("AvailabilityZone"),
        DBInstanceIdentifier = xml.Text("DBInstanceIdentifier"),
        DbiResourceId = xml.Text("DbiResourceId"),
        DBSnapshotArn = xml.Text("DBSnapshotArn"),
        DBSnapshotIdentifier = xml.Text("DBSnapshotIdentifier"),
        Encrypted = xml.Bool("Encrypted"),
        Engine = xml.Text("Engine"),
        EngineVersion = xml.Text("EngineVersion"),
        InstanceCreateTime = xml.Time("InstanceCreateTime"),
        KmsKeyId = xml.Text("KmsKeyId"),
        MasterUsername = xml.Text("MasterUsername"),
        OptionGroupName = xml.Text("OptionGroupName"),
        PercentProgress = xml.Int("PercentProgress"),
        Port = xml.Int("Port"),
        SnapshotCreateTime = xml.Time("SnapshotCreateTime"),
        SnapshotType = xml.Text("SnapshotType"),
        Status = xml.Text("Status"),
        StorageType = xml.Text("StorageType"),
        TagList = xml.List("TagList", "Tag", Tag.Read),
    };
}
