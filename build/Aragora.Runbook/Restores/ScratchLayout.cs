using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Outcomes;
using Npgsql;

namespace Aragora.Runbook.Restores;

/// <summary>Makes a database with the encoding and the locale of the source, never with others.</summary>
internal sealed class ScratchLayout(PostgresSession session)
{
    /// <summary>Makes the database.</summary>
    /// <exception cref="RefusedException">The server lacks the locale, or cannot combine it with the encoding.</exception>
    public async Task CreateDatabaseAsync(string name, SourceShape shape, CancellationToken cancellation)
    {
        var words = new List<string> { "CREATE DATABASE %1$I TEMPLATE template0 ENCODING %2$L LC_COLLATE %3$L LC_CTYPE %4$L" };
        if (session.ServerVersion.Major >= 15)
        {
            words.Add("LOCALE_PROVIDER %5$I");
            words.AddRange(shape.LocaleProvider switch
            {
                "icu" => ["ICU_LOCALE %6$L", .. shape.IcuRules is null ? Array.Empty<string>() : ["ICU_RULES %7$L"]],
                "builtin" => ["BUILTIN_LOCALE %6$L"],
                _ => [],
            });
        }

        var statement = await session.ScalarAsync<string>(
            "SELECT pg_catalog.format($1, VARIADIC $2)", cancellation, string.Join(' ', words), new[] { name, shape.Encoding, shape.Collate, shape.Ctype, shape.LocaleProvider, shape.Locale ?? "", shape.IcuRules ?? "" });
        try
        {
            await session.ExecuteAsync(statement!, cancellation);
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.WrongObjectType or PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.FeatureNotSupported or PostgresErrorCodes.InvalidObjectDefinition)
        {
            throw new RefusedException(
                $"The scratch server cannot make a database like the source: encoding {shape.Encoding}, {shape.LocaleProvider} locale {shape.Locale ?? shape.Collate}, LC_CTYPE {shape.Ctype}.",
                refused.MessageText,
                $"install that locale on the scratch server's machine (on Debian: apt-get install locales && localedef), or name a server that has it with --scratch-server-url",
                refused);
        }

        if (shape.Monetary is not null)
        {
            await session.ExecuteAsync((await session.ScalarAsync<string>("SELECT pg_catalog.format('ALTER DATABASE %I SET lc_monetary = %L', $1, $2)", cancellation, name, shape.Monetary))!, cancellation);
        }
    }

    /// <summary>initdb makes a collation of each locale that the machine lists; what the source had of them, this cluster may lack.</summary>
    public async Task CreateCollationsAsync(IReadOnlyList<SourceCollation> collations, CancellationToken cancellation)
    {
        foreach (var collation in collations.Where(collation => collation.IsOfCluster))
        {
            var isThere = await session.ScalarAsync<bool>("SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_collation WHERE collname = $1 AND collnamespace = 'pg_catalog'::regnamespace", cancellation, collation.Name);
            if (!isThere)
            {
                var format = collation.Provider == "icu" ? "CREATE COLLATION pg_catalog.%1$I (provider = icu, locale = %2$L)" : "CREATE COLLATION pg_catalog.%1$I (provider = libc, lc_collate = %3$L, lc_ctype = %4$L)";
                var names = new[] { collation.Name, collation.Locale ?? collation.Collate ?? "", collation.Collate ?? "", collation.Ctype ?? "" };
                await session.ExecuteAsync((await session.ScalarAsync<string>("SELECT pg_catalog.format($1, VARIADIC $2)", cancellation, format, names))!, cancellation);
            }
        }
    }
}
