using System.Text.Json;
using Aragora.Runbook.Reporting;

namespace Aragora.Runbook.Journal;

/// <summary>What evidence has to fit to be believed.</summary>
/// <param name="Kind">One of <see cref="EvidenceKinds"/>.</param>
/// <param name="Database">The database as it is now, read live.</param>
/// <param name="TreeHash">The migrations tree; null where it does not matter, as for a backup.</param>
public sealed record EvidenceQuery(string Kind, DatabaseFacts Database, string? TreeHash = null)
{
    /// <summary>Whether an expired record still counts: true only for what the database's own revision stamp proves to be unchanged.</summary>
    public bool MayBeExpired { get; init; }

    /// <summary>Names the thing that a record is about, where a red one revokes only green ones of the same thing, as of the same backup. Default: all records of the kind are about one thing.</summary>
    public Func<Evidence, string?>? About { get; init; }
}

/// <summary>What was found.</summary>
/// <param name="Found">The newest record that fits; null where none does.</param>
/// <param name="Text">For people: <c>verified 40 min ago, still this database, these revisions</c>, or why there is nothing.</param>
/// <param name="Rejected">Each newer record that does not hold, with the reason.</param>
public sealed record EvidenceAnswer(Evidence? Found, string Text, IReadOnlyList<string> Rejected);

/// <summary>Finds evidence, and says of each candidate that does not fit which of the reasons it is.</summary>
public sealed class EvidenceSearch(EvidenceStore store, TimeProvider clock)
{
    private const int ReasonsShown = 3;

    // Two machines that are kept in time differ by less.
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The newest record that fits the query and that <paramref name="alsoFits"/> has nothing against (it returns the reason, or null). A red record of the same database revokes
    /// every older green one, whatever revision and tree it was made with: only what was seen since counts.
    /// </summary>
    public EvidenceAnswer Find(EvidenceQuery query, Func<Evidence, string?>? alsoFits = null)
    {
        var (accepted, unreadable) = store.ReadAll();
        var (noun, verb) = Words(query.Kind);
        // A file that is not believed may say of itself that it is about something else: then it is nobody's reason here.
        var rejected = unreadable.Where(file => file.Claims is null || file.Claims.Kind == query.Kind)
            .Select(file => new Reason(file.Claims?.MadeAt ?? DateTimeOffset.MinValue, $"{Path.GetFileName(file.Path)}: {file.Reason}"))
            .ToList();
        var revoked = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var evidence in accepted.Where(evidence => evidence.Kind == query.Kind))
        {
            var about = About(evidence, query);
            if (!evidence.Green)
            {
                if (query.Database.MayBe(evidence.Database) && revoked.TryAdd(about, $"the newest one failed ({evidence.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC: {evidence.Failure})"))
                {
                    rejected.Add(new Reason(evidence.MadeAt, revoked[about]));
                }

                continue;
            }

            if ((revoked.ContainsKey(about) ? "a newer one failed" : Mismatch(evidence, query) ?? Complaint(evidence, alsoFits)) is not { } reason)
            {
                return new EvidenceAnswer(evidence, $"{verb} {Age(evidence)} ago, still this database, these revisions", NewestFirst(rejected));
            }

            rejected.Add(new Reason(evidence.MadeAt, $"{verb} {evidence.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC: {reason}"));
        }

        var reasons = NewestFirst(rejected);
        var more = reasons.Count > ReasonsShown ? $"; and {reasons.Count - ReasonsShown} older" : "";
        return new EvidenceAnswer(null, reasons.Count == 0 ? $"no record of {noun}" : $"no record of {noun} that holds: {string.Join("; ", reasons.Take(ReasonsShown))}{more}", reasons);
    }

    /// <summary>How old a record is: "40 min".</summary>
    public string Age(Evidence evidence) => ProgressSnapshot.Rough(clock.GetUtcNow() - evidence.MadeAt);

    /// <summary>What people look for is the reason of the newest record.</summary>
    private static IReadOnlyList<string> NewestFirst(IEnumerable<Reason> reasons) => [.. reasons.OrderByDescending(reason => reason.MadeAt).Select(reason => reason.Text)];

    private static string About(Evidence evidence, EvidenceQuery query)
    {
        try
        {
            return query.About?.Invoke(evidence) ?? "";
        }
        catch (JsonException)
        {
            // What it is about cannot be read: where it is red it is about everything of its kind that says as little.
            return "";
        }
    }

    private static string? Complaint(Evidence evidence, Func<Evidence, string?>? alsoFits)
    {
        try
        {
            return alsoFits?.Invoke(evidence);
        }
        catch (JsonException malformed)
        {
            return $"its facts cannot be read: {malformed.Message}";
        }
    }

    private static (string Noun, string Verb) Words(string kind) => kind switch
    {
        EvidenceKinds.Backup => ("a backup", "backed up"),
        EvidenceKinds.BackupVerification => ("a backup that was verified", "verified"),
        EvidenceKinds.Migration => ("a migration", "migrated"),
        EvidenceKinds.SmokeTest => ("green smoke tests", "smoke tests green"),
        EvidenceKinds.Gate => ("a gate that was passed", "passed"),
        EvidenceKinds.HealthCheck => ("a green health check", "healthy"),
        _ => ($"a {kind}", kind),
    };

    private string? Mismatch(Evidence evidence, EvidenceQuery query)
    {
        var now = clock.GetUtcNow();
        if (!evidence.Database.IsSameDatabaseAs(query.Database.Identity))
        {
            return $"it is of another database, {evidence.Database}";
        }

        if (evidence.MadeAt - now > ClockTolerance)
        {
            return $"it says that it was made in the future ({evidence.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC; here it is {now.UtcDateTime:yyyy-MM-dd HH:mm} UTC): a clock is wrong, or was set back";
        }

        if (!query.MayBeExpired && evidence.ExpiresAt <= now)
        {
            return $"it expired {evidence.ExpiresAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC";
        }

        if (!evidence.Revisions.Order(StringComparer.Ordinal).SequenceEqual(query.Database.Revisions.Order(StringComparer.Ordinal), StringComparer.Ordinal))
        {
            return $"it was taken at revision {Text(evidence.Revisions)}, and the database is at {Text(query.Database.Revisions)}";
        }

        if (evidence.RevisionStamp != query.Database.RevisionStamp)
        {
            return "it was taken before the last migration (which led back to the same revision)";
        }

        return query.TreeHash is null || evidence.TreeHash == query.TreeHash ? null : $"it is of another migrations tree ({Short(evidence.TreeHash)}; this one is {Short(query.TreeHash)})";
    }

    private sealed record Reason(DateTimeOffset MadeAt, string Text);

    private static string Short(string? hash) => hash is null ? "none" : hash[..Math.Min(12, hash.Length)];

    private static string Text(IReadOnlyList<string> revisions) => revisions.Count == 0 ? "none" : string.Join(", ", revisions);
}
