using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Aragora.Runbook.Journal;

/// <summary>Replaces every known secret in a text. Each place that writes for people or files asks it.</summary>
public sealed class SecretMask
{
    private const string Mask = "***";
    private readonly ConcurrentDictionary<string, byte> secrets = new(StringComparer.Ordinal);

    /// <summary>Remembers a secret in the forms it may appear in: as it is, percent-encoded, as a JSON string, and line by line.</summary>
    public void Add(string? secret)
    {
        if (string.IsNullOrEmpty(secret))
        {
            return;
        }

        foreach (var form in (IEnumerable<string>)[secret, Uri.EscapeDataString(secret), Escaped(secret), .. secret.Split('\n', '\r')])
        {
            // Two characters would blacken half of every log, and protect nothing.
            if (form.Length > 2)
            {
                secrets[form] = 0;
            }
        }
    }

    /// <summary>The text without any known secret.</summary>
    public string Apply(string text)
    {
        foreach (var secret in secrets.Keys.OrderByDescending(secret => secret.Length))
        {
            text = text.Replace(secret, Mask, StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>A JSON value whose strings hold no known secret. Names of members and numbers stay, so that it is JSON of the same shape.</summary>
    /// <param name="json">The value.</param>
    /// <param name="keeps">Names of members that stay as they are, with all that is in them; null for none.</param>
    public JsonNode? Apply(JsonNode? json, Func<string, bool>? keeps = null) => json switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, keeps?.Invoke(member.Key) == true ? member.Value?.DeepClone() : Apply(member.Value, keeps)))),
        JsonArray items => new JsonArray([.. items.Select(item => Apply(item, keeps))]),
        JsonValue value when value.TryGetValue<string>(out var text) => JsonValue.Create(Apply(text)),
        _ => json?.DeepClone(),
    };

    private static string Escaped(string secret) => System.Text.Json.JsonEncodedText.Encode(secret).ToString();
}
