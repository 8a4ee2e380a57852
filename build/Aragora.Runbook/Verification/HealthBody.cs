using System.Text.Json;
using System.Text.RegularExpressions;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Verification;

/// <summary>Reads what a health endpoint says in its body.</summary>
/// <param name="Text">The body as one safe line, at most 500 characters; of an HTML page only the text.</param>
/// <param name="IsHtml">Whether it is an HTML page.</param>
/// <param name="Status">Its word for its state where it is JSON and has one (<c>status</c>, <c>healthy</c>).</param>
/// <param name="SaysUnhealthy">Whether that word is another than ok, healthy, pass or up.</param>
/// <param name="Version">Its <c>version</c>, <c>build</c> or <c>commit</c>.</param>
public sealed partial record HealthBody(string Text, bool IsHtml, string? Status, bool SaysUnhealthy, string? Version)
{
    private const int TextLength = 500;
    private static readonly HashSet<string> Well = new(StringComparer.OrdinalIgnoreCase) { "ok", "healthy", "pass", "up" };

    /// <summary>The schema revisions that the application says it works with (<c>revisions</c>, or <c>schema_revisions</c>: an array of strings); null where it says nothing of the kind.</summary>
    public IReadOnlyList<string>? Revisions { get; init; }

    /// <summary>Reads a body.</summary>
    /// <param name="body">Its text, or as much of it as was read.</param>
    /// <param name="mediaType">Its media type; null where the server names none.</param>
    public static HealthBody Read(string body, string? mediaType)
    {
        var isHtml = mediaType is "text/html" or "application/xhtml+xml" || HtmlStart().IsMatch(body);
        var text = LogText.SingleLine(isHtml ? Tag().Replace(body, " ") : body, TextLength);
        if (isHtml || Root(body) is not { ValueKind: JsonValueKind.Object } root)
        {
            return new HealthBody(text, isHtml, null, SaysUnhealthy: false, null);
        }

        var members = root.EnumerateObject().ToLookup(member => member.Name, member => member.Value, StringComparer.OrdinalIgnoreCase);
        var state = members["status"].Concat(members["healthy"]).Select(Word).FirstOrDefault(word => word is not null);
        var version = new[] { "version", "build", "commit" }.SelectMany(name => members[name])
            .Where(value => value.ValueKind is JsonValueKind.String or JsonValueKind.Number)
            .Select(value => LogText.SingleLine(value.ToString(), 100))
            .FirstOrDefault(word => word.Length > 0);
        var revisions = members["revisions"].Concat(members["schema_revisions"]).Select(Texts).FirstOrDefault(texts => texts.Count > 0);
        return new HealthBody(text, isHtml, state, state is not null && !Well.Contains(state), version) { Revisions = revisions };
    }

    private static IReadOnlyList<string> Texts(JsonElement value) => value.ValueKind != JsonValueKind.Array ? [] :
    [
        .. value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => LogText.SingleLine(item.GetString()!, 100)).Where(text => text.Length > 0),
    ];

    /// <summary>A truth and a number in the range of 200 are words for being well.</summary>
    private static string? Word(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => LogText.SingleLine(value.GetString()!, 100),
        JsonValueKind.True => "ok",
        JsonValueKind.False => "false",
        JsonValueKind.Number when value.TryGetInt32(out var number) && number is >= 200 and < 300 => "ok",
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };

    private static JsonElement? Root(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            // "OK" in plain text is an answer as well: its HTTP status decides.
            return null;
        }
    }

    [GeneratedRegex(@"^\s*<(!doctype\s+html|html)", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex HtmlStart();

    [GeneratedRegex(@"<(?<hidden>script|style)\b.*?(</\k<hidden>>|$)|<[^>]*>|<!--.*?-->", RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Tag();
}
