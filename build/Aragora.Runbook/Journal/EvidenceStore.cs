using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Aragora.Runbook.Outcomes;

namespace Aragora.Runbook.Journal;

/// <summary>Writes evidence of this run, and finds that of earlier runs and other jobs.</summary>
/// <param name="runFolder">This run's folder; records go to its <c>evidence</c> folder.</param>
/// <param name="searched">Folders that are searched for <c>*.json</c> in an <c>evidence</c> folder or directly: the folder of all runs, and <c>--evidence-directory</c>.</param>
/// <param name="secrets">Masks what is written.</param>
/// <param name="key">The evidence key; null leaves records unsigned and accepts unsigned ones.</param>
public sealed class EvidenceStore(string runFolder, IReadOnlyList<string> searched, SecretMask secrets, byte[]? key = null)
{
    // A link that leads back up would otherwise be followed for ever.
    private const int DeepestFolder = 12;

    /// <summary>Whether records are signed, and unsigned ones refused.</summary>
    public bool IsSigned => key is not null;

    /// <summary>Writes one record, whole or not at all.</summary>
    public async Task<Evidence> WriteAsync(Evidence evidence, CancellationToken cancellation)
    {
        var folder = Path.Combine(runFolder, "evidence");
        PrivateFolder.Create(runFolder);
        PrivateFolder.Create(folder);
        var name = $"{evidence.MadeAt:yyyyMMddTHHmmssfff}-{evidence.Kind}-{evidence.Environment.ToString().ToLowerInvariant()}.json";
        var path = Path.Combine(folder, name);
        for (var number = 2; File.Exists(path); number++)
        {
            path = Path.Combine(folder, $"{Path.GetFileNameWithoutExtension(name)}-{number}.json");
        }

        var facts = EvidenceFacts.Masked(evidence.Facts, secrets);
        var clean = evidence with { Facts = facts, Failure = evidence.Failure is { } failure ? secrets.Apply(failure) : null };
        var signed = clean with { Signature = Sign(clean) };
        var partial = path + ".partial";
        await File.WriteAllTextAsync(partial, JsonSerializer.Serialize(signed, RunbookJson.Document) + "\n", cancellation);
        File.Move(partial, path);
        return signed with { Path = path };
    }

    /// <summary>Everything that can be read, newest first. Records that cannot be read or whose signature is wrong come back as rejected, with the reason.</summary>
    public (IReadOnlyList<Evidence> Accepted, IReadOnlyList<RejectedEvidence> Rejected) ReadAll()
    {
        var accepted = new List<Evidence>();
        var rejected = new List<RejectedEvidence>();
        foreach (var path in Files(rejected))
        {
            var (evidence, reason) = Read(path);
            if (evidence is not null && reason.Length == 0)
            {
                accepted.Add(evidence);
            }
            else
            {
                rejected.Add(new RejectedEvidence(path, reason) { Claims = evidence });
            }
        }

        // The same record may lie in several of the folders.
        return ([.. accepted.DistinctBy(evidence => (evidence.RunId, evidence.Kind, evidence.Database, evidence.MadeAt, evidence.Failure, evidence.Facts.GetRawText())).OrderByDescending(evidence => evidence.MadeAt)], rejected);
    }

    private List<string> Files(List<RejectedEvidence> rejected)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var top in searched.Where(Directory.Exists).Select(Path.GetFullPath).Select(Path.TrimEndingDirectorySeparator))
        {
            var open = new Stack<(string Folder, int Depth)>([(top, 0)]);
            while (open.TryPop(out var at))
            {
                try
                {
                    if (at.Depth == 0 || Path.GetFileName(at.Folder) == "evidence")
                    {
                        found.UnionWith(Directory.EnumerateFiles(at.Folder, "*.json"));
                    }

                    foreach (var below in at.Depth < DeepestFolder ? Directory.EnumerateDirectories(at.Folder) : [])
                    {
                        open.Push((below, at.Depth + 1));
                    }
                }
                catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
                {
                    rejected.Add(new RejectedEvidence(at.Folder, $"the folder cannot be searched: {unreadable.Message}"));
                }
            }
        }

        return [.. found];
    }

    private (Evidence? Evidence, string Reason) Read(string path)
    {
        try
        {
            var evidence = JsonSerializer.Deserialize<Evidence>(File.ReadAllText(path), RunbookJson.Line);
            return evidence is null ? (null, "it is empty")
                : EvidenceFacts.IsWhole(evidence) ? Check(evidence, path)
                : (null, "it is not an evidence record: it leaves out what it is about");
        }
        catch (JsonException malformed)
        {
            return (null, $"it is not an evidence record: {malformed.Message}");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return (null, $"it cannot be read: {unreadable.Message}");
        }
    }

    private (Evidence? Evidence, string Reason) Check(Evidence evidence, string path)
    {
        if (key is null)
        {
            return (evidence with { Path = path }, "");
        }

        if (evidence.Signature is null)
        {
            return (evidence, "it is not signed, and an evidence key was given");
        }

        var expected = Encoding.ASCII.GetBytes(Sign(evidence)!);
        return CryptographicOperations.FixedTimeEquals(expected, Encoding.ASCII.GetBytes(evidence.Signature))
            ? (evidence with { Path = path }, "")
            : (evidence, "its signature does not fit: it was edited, or signed with another key");
    }

    private string? Sign(Evidence evidence)
    {
        if (key is null)
        {
            return null;
        }

        var unsigned = JsonSerializer.SerializeToNode(evidence with { Signature = null, Path = null }, RunbookJson.Line) ?? throw new FailedCleanException("The evidence is empty.", "", "");
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(Canonical(unsigned))));
    }

    /// <summary>Members in ordinal order, so that formatting does not matter to a signature.</summary>
    private static string Canonical(JsonNode? node) => node switch
    {
        JsonObject members => "{" + string.Join(',', members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => JsonSerializer.Serialize(member.Key) + ":" + Canonical(member.Value))) + "}",
        JsonArray items => "[" + string.Join(',', items.Select(Canonical)) + "]",
        null => "null",
        _ => node.ToJsonString(),
    };
}

/// <summary>A file among the evidence that no gate may believe.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">Why, for the refusal that a gate prints.</param>
public sealed record RejectedEvidence(string Path, string Reason)
{
    /// <summary>What it says of itself, where that can be read: only to be told, never to be believed.</summary>
    public Evidence? Claims { get; init; }
}
