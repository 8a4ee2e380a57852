using System.ComponentModel;
using System.Globalization;
using System.Reflection;

namespace Nuke.Common.CI;

/// <summary>Which part of how many this run is.</summary>
[TypeConverter(typeof(PartitionConverter))]
public class Partition
{
    /// <summary>The whole.</summary>
    public static Partition Single { get; } = new() { Part = 1, Total = 1 };

    public int Part { get; set; }

    public int Total { get; set; }

    public bool IsIn(int part) => Total == 1 || part == Part;

    /// <summary>Every so manieth element.</summary>
    public IEnumerable<T> GetCurrent<T>(IEnumerable<T> enumerable) => enumerable.Where((_, i) => i % Total == Part - 1);

    public override string ToString() => $"{Part}/{Total}";

    private sealed class PartitionConverter : TypeConverter
    {
        public override bool CanConvertFrom(ITypeDescriptorContext context, Type sourceType) =>
            sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

        public override object ConvertFrom(ITypeDescriptorContext context, CultureInfo culture, object value)
        {
            if (value is not string text)
                return base.ConvertFrom(context, culture, value);

            var parts = text.Split('/');
            return new Partition { Part = int.Parse(parts[0], CultureInfo.InvariantCulture), Total = int.Parse(parts[1], CultureInfo.InvariantCulture) };
        }
    }
}

/// <summary>A partition of which the command line names the part.</summary>
public class PartitionAttribute(int total) : ParameterAttribute
{
    public int Total { get; } = total;

    public override bool List => false;

    public override object GetValue(MemberInfo member, object instance) =>
        ParameterService.GetParameter<int?>(member) is { } part ? new Partition { Part = part, Total = Total } : Partition.Single;
}
