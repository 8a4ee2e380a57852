using System.Text.Json;
using System.Text.Json.Nodes;

namespace Aragora.Runbook.Applications.Workloads;

/// <summary>Reads and writes members of nested JSON objects.</summary>
internal static class JsonPaths
{
    /// <summary>The value at a path; null where something on the way is missing.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            node = node is JsonObject members ? members[name] : null;
        }

        return node;
    }

    /// <summary>The text at a path; null where there is none.</summary>
    public static string? Text(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    /// <summary>The whole number at a path; null where there is none.</summary>
    public static int? Number(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonValue value && value.GetValueKind() == JsonValueKind.Number ? (int)value.GetValue<decimal>() : null;

    /// <summary>The truth at a path; false where there is none.</summary>
    public static bool IsTrue(this JsonNode? node, params ReadOnlySpan<string> path) => node.At(path)?.GetValueKind() == JsonValueKind.True;

    /// <summary>The objects of an array at a path; none where there is none.</summary>
    public static IEnumerable<JsonObject> Each(this JsonNode? node, params ReadOnlySpan<string> path) => node.At(path) is JsonArray items ? items.OfType<JsonObject>() : [];

    /// <summary>Sets a value, and makes the objects on the way to it.</summary>
    public static void Put(this JsonObject root, JsonNode? value, params ReadOnlySpan<string> path)
    {
        var at = root;
        foreach (var name in path[..^1])
        {
            if (at[name] is not JsonObject next)
            {
                at[name] = next = [];
            }

            at = next;
        }

        at[path[^1]] = value;
    }
}
