using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Aragora.Runbook.Journal;

/// <summary>How the runbook writes JSON: camel case, enums by name, times in UTC, durations as "hh:mm:ss.fffffff".</summary>
public static class RunbookJson
{
    /// <summary>One line a record.</summary>
    public static JsonSerializerOptions Line { get; } = Make(indented: false);

    /// <summary>For files that people open.</summary>
    public static JsonSerializerOptions Document { get; } = Make(indented: true);

    private static JsonSerializerOptions Make(bool indented) => new()
    {
        WriteIndented = indented,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };
}
