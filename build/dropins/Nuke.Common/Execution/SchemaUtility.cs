using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Nuke.Common.Tooling;
using Nuke.Common.Utilities;
using Nuke.Common.ValueInjection;

namespace Nuke.Common.Execution;

/// <summary>The JSON schema of <c>.nuke/parameters.json</c>, in the layout of the package.</summary>
public static class SchemaUtility
{
    private const string Definitions = "#/definitions/";
    private static readonly JsonWriterOptions s_options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema as text.</summary>
    public static string GetJsonString(INukeBuild build)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, s_options))
            Write(json, build);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The schema, parsed.</summary>
    public static JsonDocument GetJsonDocument(INukeBuild build) => JsonDocument.Parse(GetJsonString(build));

    private static void Write(Utf8JsonWriter json, INukeBuild build)
    {
        var members = ValueInjectionUtility.GetParameterMembers(build.GetType(), includeUnlisted: true);
        var own = members.Where(x => x.DeclaringType != typeof(NukeBuild)).ToList();

        json.WriteStartObject();
        json.WriteString("$schema", "http://json-schema.org/draft-04/schema#");

        json.WriteStartObject("definitions");
        WriteDefinitions(json, build, members);
        json.WriteStartObject(nameof(NukeBuild));
        WriteProperties(json, build, members.Except(own));
        json.WriteEndObject();
        json.WriteEndObject();

        json.WriteStartArray("allOf");
        json.WriteStartObject();
        if (own.Count > 0)
            WriteProperties(json, build, own);
        json.WriteEndObject();
        json.WriteStartObject();
        json.WriteString("$ref", Definitions + nameof(NukeBuild));
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    // In the order of their first use. The file is under version control: it must not change with the host,
    // so that the package's repetition of an enum's names, for each nullable use, is kept.
    private static void WriteDefinitions(Utf8JsonWriter json, INukeBuild build, List<MemberInfo> members)
    {
        foreach (var uses in members.Where(x => ReferenceOf(x) is not null).GroupBy(ScalarOf))
        {
            var type = uses.Key;
            var values =
                type == typeof(Host) ? Host.AvailableTypes.Select(x => x.Name).Order(StringComparer.OrdinalIgnoreCase)
                : type == typeof(ExecutableTarget) ? ExecutableTargetFactory.GetTargetProperties(build.GetType()).Select(MemberUtility.ShortName).Order(StringComparer.OrdinalIgnoreCase)
                : Enum.GetNames(type).Concat(uses.Where(IsNullable).SelectMany(_ => Enum.GetNames(type).Order(StringComparer.OrdinalIgnoreCase)));

            json.WriteStartObject(type.Name);
            json.WriteString("type", "string");
            if (type.IsEnum)
                json.WriteString("description", string.Empty);
            WriteEnum(json, values);
            json.WriteEndObject();
        }
    }

    private static void WriteEnum(Utf8JsonWriter json, IEnumerable<string> values)
    {
        var list = values.ToList();
        if (list.Count == 0)
            return;

        json.WriteStartArray("enum");
        list.ForEach(json.WriteStringValue);
        json.WriteEndArray();
    }

    private static void WriteProperties(Utf8JsonWriter json, INukeBuild build, IEnumerable<MemberInfo> members)
    {
        json.WriteStartObject("properties");
        foreach (var member in members)
        {
            json.WriteStartObject(ParameterService.GetParameterMemberName(member));
            WriteProperty(json, build, member);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteProperty(Utf8JsonWriter json, INukeBuild build, MemberInfo member)
    {
        var scalar = ScalarOf(member);
        var (name, format) = IsPlain(member) ? Describe(scalar) : ("string", null);
        var reference = ReferenceOf(member);
        var isArray = IsPlain(member) && (MemberUtility.TypeOf(member).IsArray || scalar == typeof(ExecutableTarget));
        var values = HasValues(member, isArray) ? ParameterValueSet.Get(member, build)?.Select(x => x.Text) ?? [] : [];

        if (isArray)
            json.WriteString("type", "array");
        else if (reference is null || IsNullable(member))
            WriteType(json, name, IsNullable(member));

        if (ParameterService.GetParameterDescription(member) is { } description)
            json.WriteString("description", description);
        if (member.IsDefined(typeof(SecretAttribute), inherit: true))
            json.WriteString("default", "Secrets must be entered via 'nuke :secrets [profile]'");

        if (isArray)
        {
            json.WriteStartObject("items");
            if (reference is null)
                json.WriteString("type", name);
        }

        if (reference is null && format is not null)
            json.WriteString("format", format);
        WriteEnum(json, values);
        if (reference is not null)
            json.WriteString("$ref", reference);
        if (isArray)
            json.WriteEndObject();
    }

    // An attribute of the build's own reads its value in its own way: from a text.
    private static bool IsPlain(MemberInfo member) => member.GetCustomAttribute<ParameterAttribute>()?.GetType() == typeof(ParameterAttribute);

    private static bool IsNullable(MemberInfo member) => Nullable.GetUnderlyingType(MemberUtility.TypeOf(member)) is not null;

    private static Type ScalarOf(MemberInfo member)
    {
        var type = MemberUtility.TypeOf(member);
        return type == typeof(IReadOnlyCollection<ExecutableTarget>) ? typeof(ExecutableTarget) : MemberUtility.ScalarOf(type);
    }

    private static string ReferenceOf(MemberInfo member)
    {
        var scalar = ScalarOf(member);
        return IsPlain(member) && (scalar.IsEnum || scalar == typeof(Host) || scalar == typeof(ExecutableTarget)) ? Definitions + scalar.Name : null;
    }

    // A single enum's are in its definition.
    private static bool HasValues(MemberInfo member, bool isArray) =>
        isArray || !ScalarOf(member).IsEnum || !IsPlain(member) || member.GetCustomAttribute<ParameterAttribute>().NotNull().ValueProviderMember is not null;

    private static void WriteType(Utf8JsonWriter json, string name, bool isNullable)
    {
        if (!isNullable)
        {
            json.WriteString("type", name);
            return;
        }

        json.WriteStartArray("type");
        foreach (var alternative in new[] { name, "null" }.Order(StringComparer.Ordinal))
            json.WriteStringValue(alternative);
        json.WriteEndArray();
    }

    private static (string Name, string Format) Describe(Type type)
    {
        if (type.IsEnum)
            return ("string", null);
        if (type == typeof(TimeSpan))
            return ("string", "duration");
        if (type == typeof(Uri))
            return ("string", "uri");
        if (type == typeof(Guid))
            return ("string", "guid");
        if (type == typeof(DateOnly))
            return ("string", "date");
        if (type == typeof(DateTimeOffset))
            return ("string", "date-time");
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => ("boolean", null),
            TypeCode.Int32 => ("integer", "int32"),
            TypeCode.Int64 => ("integer", "int64"),
            TypeCode.Double => ("number", "double"),
            TypeCode.Decimal => ("number", "decimal"),
            TypeCode.DateTime => ("string", "date-time"),
            _ => ("string", null),
        };
    }
}
