namespace Aragora.Runbook.Journal;

/// <summary>What evidence has to fit to be believed.</summary>
/// <param name="Kind">One of <see cref="EvidenceKinds"/>.</param>
/// <param name="Database">The database as it is now.</param>
/// <param name="TreeHash">The migrations tree; null where it does not matter, as for a backup.</param>
public sealed record EvidenceQuery(string Kind, DatabaseFacts Database, string? TreeHash = null)
{
    /// <summary>Whether an expired record still counts: true only for what the database's own revision stamp proves to be unchanged.</summary>
    public bool MayBeExpired { get; init; }
}

/// <summary>What was found.</summary>
/// <param name="Evidence">The newest record that fits; null where none does.</param>
/// <param name="Finding">For people: why it is believed, or why each candidate is not.</param>
public sealed record EvidenceAnswer(Evidence? Evidence, string Finding);

/// <summary>Finds evidence, and says of each candidate that does not fit which of the reasons it is.</summary>
public sealed class EvidenceSearch(EvidenceStore store, TimeProvider clock)
{
    private const int ReasonsShown = 3;

    /// <summary>The newest record that fits the query and that <paramref name="alsoFits"/> has nothing against (it returns the reason, or null).</summary>
    public EvidenceAnswer Find(EvidenceQuery query, Func<Evidence, string?>? alsoFits = null)
    {
        var (accepted, rejected) = store.ReadAll();
        var reasons = new List<string>();
        foreach (var evidence in accepted.Where(evidence => evidence.Kind == query.Kind))
        {
            var reason = Mismatch(evidence, query) ?? alsoFits?.Invoke(evidence);
            if (reason is null)
            {
                return new EvidenceAnswer(evidence, $"{evidence.Kind} made {Age(evidence.MadeAt)} ago by {evidence.Who}, still this database, these revisions");
            }

            reasons.Add($"the {evidence.Kind} of {evidence.MadeAt:yyyy-MM-dd HH:mm} UTC: {reason}");
        }

        reasons.AddRange(rejected.Select(file => $"{file.Path}: {file.Reason}"));
        return new EvidenceAnswer(null, reasons.Count == 0 ? $"there is no {query.Kind} evidence" : string.Join("; ", reasons.Take(ReasonsShown)));
    }

    /// <summary>"40 min", "3 h".</summary>
    public string Age(DateTimeOffset moment) => (clock.GetUtcNow() - moment) switch
    {
        { TotalMinutes: < 1 } => "less than a minute",
        { TotalHours: < 2 } age => $"{age.TotalMinutes:0} min",
        { TotalDays: < 2 } age => $"{age.TotalHours:0} h",
        var age => $"{age.TotalDays:0} days",
    };

    private string? Mismatch(Evidence evidence, EvidenceQuery query)
    {
        var now = clock.GetUtcNow();
        if (!evidence.Database.IsSameDatabaseAs(query.Database.Identity))
        {
            return $"it is of another database ({evidence.Database})";
        }

        if (evidence.MadeAt > now + TimeSpan.FromMinutes(5))
        {
            return $"it was made in the future ({evidence.MadeAt:u}): a clock is wrong";
        }

        if (!evidence.Revisions.SequenceEqual(query.Database.Revisions, StringComparer.Ordinal))
        {
            return $"it is of other revisions ({Text(evidence.Revisions)}; the database is at {Text(query.Database.Revisions)})";
        }

        if (evidence.RevisionStamp != query.Database.RevisionStamp)
        {
            return "the database was migrated since";
        }

        if (query.TreeHash is not null && evidence.TreeHash != query.TreeHash)
        {
            return $"it is of another migrations tree ({evidence.TreeHash?[..12]}; this one is {query.TreeHash[..12]})";
        }

        return !query.MayBeExpired && evidence.ExpiresAt <= now ? $"it expired {evidence.ExpiresAt:yyyy-MM-dd HH:mm} UTC" : null;
    }

    private static string Text(IReadOnlyList<string> revisions) => revisions.Count == 0 ? "no revision" : string.Join(", ", revisions);
}
