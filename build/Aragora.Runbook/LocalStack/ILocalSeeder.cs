using Aragora.Runbook.Environments;

namespace Aragora.Runbook.LocalStack;

/// <summary>Fills a fresh local database with data that a rehearsal is worth doing on.</summary>
public interface ILocalSeeder
{
    /// <summary>Migrates an empty database to the seed's revision, some behind head, and fills it.</summary>
    /// <returns>The revision that it stands at; null where this migrations tree has no seed, and the database stays empty.</returns>
    Task<string?> SeedAsync(DatabaseEnvironment database, CancellationToken cancellation);
}
