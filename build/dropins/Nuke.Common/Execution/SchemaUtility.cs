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
        var enums = own.Where(IsPlain).Select(x => MemberUtility.ScalarOf(MemberUtility.TypeOf(x))).Where(x => x.IsEnum && x != typeof(Verbosity))
            .Distinct().OrderBy(x => x.Name, StringComparer.Ordinal).ToList();

        json.WriteStartObject();
        json.WriteString("$schema", "http://json-schema.org/draft-04/schema#");

        json.WriteStartObject("definitions");
        enums.ForEach(x => WriteDefinition(json, x.Name, Enum.GetNames(x), isEnum: true));
        WriteDefinition(json, nameof(Host), Host.AvailableTypes.Select(x => x.Name).Order(StringComparer.OrdinalIgnoreCase));
        WriteDefinition(
            json,
            nameof(ExecutableTarget),
            ExecutableTargetFactory.GetTargetProperties(build.GetType()).Select(MemberUtility.ShortName).Order(StringComparer.OrdinalIgnoreCase));
        WriteDefinition(json, nameof(Verbosity), Enum.GetNames<Verbosity>(), isEnum: true);
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

    private static void WriteDefinition(Utf8JsonWriter json, string name, IEnumerable<string> values, bool isEnum = false)
    {
        json.WriteStartObject(name);
        json.WriteString("type", "string");
        if (isEnum)
            json.WriteString("description", string.Empty);
        WriteEnum(json, values);
        json.WriteEndObject();
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
        var type = MemberUtility.TypeOf(member);
        var isTargets = type == typeof(IReadOnlyCollection<ExecutableTarget>);
        var isArray = type.IsArray || isTargets;
        var scalar = isTargets ? typeof(ExecutableTarget) : MemberUtility.ScalarOf(type);
        var reference = !IsPlain(member) ? null : scalar.IsEnum || scalar == typeof(Host) || isTargets ? Definitions + scalar.Name : null;
        var attribute = member.GetCustomAttribute<ParameterAttribute>().NotNull();
        var values = scalar.IsEnum || attribute.ValueProviderMember is null && !scalar.IsSubclassOf(typeof(Enumeration)) && IsPlain(member)
            ? null
            : ParameterValueSet.Get(member, build)?.Select(x => x.Text).ToList();

        if (isArray && IsPlain(member))
            json.WriteString("type", "array");
        else if (reference is null)
            WriteType(json, IsPlain(member) ? scalar : typeof(string), isNullable: Nullable.GetUnderlyingType(type) is not null);

        if (ParameterService.GetParameterDescription(member) is { } description)
            json.WriteString("description", description);
        if (member.IsDefined(typeof(SecretAttribute), inherit: true))
            json.WriteString("default", "Secrets must be entered via 'nuke :secrets [profile]'");

        if (isArray && IsPlain(member))
            json.WriteStartObject("items");
        if (reference is not null)
            json.WriteString("$ref", reference);
        else if (isArray && IsPlain(member))
            WriteType(json, scalar, isNullable: false);
        WriteEnum(json, values ?? []);
        if (isArray && IsPlain(member))
            json.WriteEndObject();
    }

    // An attribute of the build's own reads its value in its own way: from a text.
    private static bool IsPlain(MemberInfo member) => member.GetCustomAttribute<ParameterAttribute>()?.GetType() == typeof(ParameterAttribute);

    private static void WriteType(Utf8JsonWriter json, Type type, bool isNullable)
    {
        var (name, format) = Describe(type);
        if (isNullable)
        {
            json.WriteStartArray("type");
            foreach (var alternative in new[] { name, "null" }.Order(StringComparer.Ordinal))
                json.WriteStringValue(alternative);
            json.WriteEndArray();
        }
        else
        {
            json.WriteString("type", name);
        }

        if (format is not null)
            json.WriteString("format", format);
    }

    private static (string Name, string Format) Describe(Type type)
    {
        if (type == typeof(TimeSpan))
            return ("string", "duration");
        if (type == typeof(Uri))
            return ("string", "uri");
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
