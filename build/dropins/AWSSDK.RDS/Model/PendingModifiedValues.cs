using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>What is asked for and not yet so; everything else is null.</summary>
public partial class PendingModifiedValues
{
    public int? AllocatedStorage { get; set; }

    public int? BackupRetentionPeriod { get; set; }

    public string CACertificateIdentifier { get; set; }

    public string DBInstanceClass { get; set; }

    public string DBInstanceIdentifier { get; set; }

    public string DBSubnetGroupName { get; set; }

    public string EngineVersion { get; set; }

    public bool? IAMDatabaseAuthenticationEnabled { get; set; }

    public int? Iops { get; set; }

    public string LicenseModel { get; set; }

    public bool? MultiAZ { get; set; }

    public int? Port { get; set; }

    public int? StorageThroughput { get; set; }

    public string StorageType { get; set; }

    internal static PendingModifiedValues Read(XElement xml) => new()
    {
        AllocatedStorage = xml.Int("AllocatedStorage"),
        BackupRetentionPeriod = xml.Int("BackupRetentionPeriod"),
        CACertificateIdentifier = xml.Text("CACertificateIdentifier"),
        DBInstanceClass = xml.Text("DBInstanceClass"),
        DBInstanceIdentifier = xml.Text("DBInstanceIdentifier"),
        DBSubnetGroupName = xml.Text("DBSubnetGroupName"),
        EngineVersion = xml.Text("EngineVersion"),
        IAMDatabaseAuthenticationEnabled = xml.Bool("IAMDatabaseAuthenticationEnabled"),
        Iops = xml.Int("Iops"),
        LicenseModel = xml.Text("LicenseModel"),
        MultiAZ = xml.Bool("MultiAZ"),
        Port = xml.Int("Port"),
        StorageThroughput = xml.Int("StorageThroughput"),
        StorageType = xml.Text("StorageType"),
    };
}
