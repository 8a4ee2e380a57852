using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Where AWS keeps the master password, if it does.</summary>
public partial class MasterUserSecret
{
    public string KmsKeyId { get; set; }

    public string SecretArn { get; set; }

    public string SecretStatus { get; set; }

    internal static MasterUserSecret Read(XElement xml) => new()
    {
        KmsKeyId = xml.Text("KmsKeyId"),
        SecretArn = xml.Text("SecretArn"),
        SecretStatus = xml.Text("SecretStatus"),
    };
}
