using System.Collections.Concurrent;

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

    private static string Escaped(string secret) => System.Text.Json.JsonEncodedText.Encode(secret).ToString();
}
