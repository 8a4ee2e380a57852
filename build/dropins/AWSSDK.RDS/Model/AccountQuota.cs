using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>How much of something there may be, and is.</summary>
public partial class AccountQuota
{
    public string AccountQuotaName { get; set; }

    public long? Max { get; set; }

    public long? Used { get; set; }

    internal static AccountQuota Read(XElement xml) => new()
    {
        AccountQuotaName = xml.Text("AccountQuotaName"),
        Max = xml.Long("Max"),
        Used = xml.Long("Used"),
    };
}
