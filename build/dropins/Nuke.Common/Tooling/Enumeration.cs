using System.ComponentModel;
using System.Globalization;
using System.Reflection;

namespace Nuke.Common.Tooling;

/// <summary>A set of named values that, unlike an enum, can carry any text.</summary>
public abstract class Enumeration
{
    /// <summary>The text.</summary>
    protected string Value { get; set; }

    public static implicit operator string(Enumeration value) => value?.Value;

    public static bool operator ==(Enumeration a, Enumeration b) => Equals(a, b);

    public static bool operator !=(Enumeration a, Enumeration b) => !Equals(a, b);

    protected bool Equals(Enumeration other) => string.Equals(Value, other.Value, StringComparison.Ordinal);

    public override bool Equals(object obj) => obj is not null && obj.GetType() == GetType() && Equals((Enumeration)obj);

    public override int GetHashCode() => Value is null ? 0 : StringComparer.Ordinal.GetHashCode(Value);

    public override string ToString() => Value.NotNull();

    /// <summary>Finds the static field of that name, whatever its case.</summary>
    public class TypeConverter<T> : TypeConverter
    {
        public override bool CanConvertFrom(ITypeDescriptorContext context, Type sourceType) =>
            sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

        public override object ConvertFrom(ITypeDescriptorContext context, CultureInfo culture, object value)
        {
            if (value is not string text)
                return base.ConvertFrom(context, culture, value);

            var fields = typeof(T).GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
                .Where(x => x.Name.Equals(text, StringComparison.OrdinalIgnoreCase)).ToList();
            Assert.HasSingleItem(fields);
            return fields[0].GetValue(null);
        }
    }
}
