using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>Where an instance is reached.</summary>
public partial class Endpoint
{
    public string Address { get; set; }

    public string HostedZoneId { get; set; }

    public int? Port { get; set; }

    internal static Endpoint Read(XElement xml) => new()
    {
        Address = xml.Text("Address"),
        HostedZoneId = xml.Text("HostedZoneId"),
        Port = xml.Int("Port"),
    };
}
