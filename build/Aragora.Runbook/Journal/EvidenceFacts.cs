using System.Text.Json;
using System.Text.Json.Nodes;

namespace Aragora.Runbook.Journal;

/// <summary>What of an evidence record is masked, and what has to be there.</summary>
internal static class EvidenceFacts
{
    /// <summary>
    /// Members that say what a record is about: a gate compares them, so a password that looks like a part of them must not change them. None of them is free text.
    /// </summary>
    private static readonly HashSet<string> Identifying = new(StringComparer.OrdinalIgnoreCase)
    {
        "folder", "manifestSha256", "backupMadeAt", "direction", "from", "to", "applied", "runner", "suite", "suiteHash", "resultsFile", "url", "latency", "box",
    };

    /// <summary>The facts; free text in them without secrets.</summary>
    public static JsonElement Masked(JsonElement facts, SecretMask secrets) =>
        secrets.Apply(JsonNode.Parse(facts.GetRawText()), keeps: Identifying.Contains) is { } clean ? JsonSerializer.SerializeToElement(clean, RunbookJson.Line) : facts;

    /// <summary>Whether everything is there that is compared: a JSON null gets past <c>required</c>.</summary>
    public static bool IsWhole(Evidence evidence) =>
        evidence is { Kind: not null, RunId: not null, Who: not null, Revisions: not null, Database: { SystemIdentifier: not null, DatabaseName: not null, Endpoint: not null } }
        && evidence.Revisions.All(revision => revision is not null)
        && evidence.Facts.ValueKind != JsonValueKind.Undefined;
}
