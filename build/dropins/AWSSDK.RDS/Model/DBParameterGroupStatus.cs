using System.Xml.Linq;
using Amazon.RDS.Internal;

namespace Amazon.RDS.Model;

/// <summary>A parameter group of an instance.</summary>
public partial class DBParameterGroupStatus
{
    public string DBParameterGroupName { get; set; }

    public string ParameterApplyStatus { get; set; }

    internal static DBParameterGroupStatus Read(XElement xml) => new()
    {
        DBParameterGroupName = xml.Text("DBParameterGroupName"),
        ParameterApplyStatus = xml.Text("ParameterApplyStatus"),
    };
}
