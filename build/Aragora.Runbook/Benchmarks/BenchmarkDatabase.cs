using Aragora.Runbook.Adapters.Postgres;
using Aragora.Runbook.Environments;

namespace Aragora.Runbook.Benchmarks;

/// <summary>A database like the application's: wide and narrow tables, text, JSON, numbers, times, secondary indexes and foreign keys.</summary>
internal static class BenchmarkDatabase
{
    /// <summary>Rows of the messages table for one MB of database, indexes included; measured.</summary>
    private const int MessagesPerMegabyte = 2600;

    private const string Schema =
        """
        CREATE TYPE mood AS ENUM ('calm', 'heated', 'over');
        CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
        INSERT INTO alembic_version VALUES ('0001');
        CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY, email text NOT NULL, name text NOT NULL, score numeric(12,4), created_at timestamptz NOT NULL);
        CREATE TABLE debates (id uuid DEFAULT gen_random_uuid(), owner_id bigint NOT NULL, title text NOT NULL, state mood NOT NULL, settings jsonb NOT NULL, created_at timestamptz NOT NULL);
        CREATE TABLE messages (id bigint GENERATED ALWAYS AS IDENTITY, user_id bigint NOT NULL, body text NOT NULL, tokens integer NOT NULL, cost numeric(10,6), sent_at timestamptz NOT NULL);
        CREATE TABLE votes (message_id bigint NOT NULL, user_id bigint NOT NULL, value smallint NOT NULL, voted_at timestamptz NOT NULL);
        """;

    private const string Indexes =
        """
        ALTER TABLE users ADD PRIMARY KEY (id);
        CREATE UNIQUE INDEX users_email ON users (email);
        ALTER TABLE debates ADD PRIMARY KEY (id), ADD FOREIGN KEY (owner_id) REFERENCES users (id);
        CREATE INDEX debates_owner ON debates (owner_id);
        ALTER TABLE messages ADD PRIMARY KEY (id), ADD FOREIGN KEY (user_id) REFERENCES users (id);
        CREATE INDEX messages_user_sent ON messages (user_id, sent_at);
        ALTER TABLE votes ADD PRIMARY KEY (message_id, user_id);
        ANALYZE;
        """;

    /// <summary>Fills an empty database.</summary>
    public static async Task FillAsync(DatabaseEnvironment environment, int megabytes, CancellationToken cancellation)
    {
        var messages = (long)megabytes * MessagesPerMegabyte;
        await using var session = await PostgresSession.OpenAsync(environment, "aragora-benchmark", cancellation: cancellation);
        await session.ExecuteAsync(Schema, cancellation);
        await session.ExecuteAsync(
            "INSERT INTO users (email, name, score, created_at) SELECT 'user' || i || '@example.com', md5(i::text), (i % 10000) / 7.0, timestamptz '2026-01-01' + i * interval '1 second' FROM generate_series(1, $1::bigint) i",
            cancellation,
            Math.Max(1, messages / 10));
        await session.ExecuteAsync(
            """
            INSERT INTO debates (owner_id, title, state, settings, created_at)
            SELECT 1 + i % $2::bigint, 'Debate about ' || md5(i::text), (ARRAY['calm', 'heated', 'over'])[1 + i % 3]::mood, jsonb_build_object('rounds', i % 7, 'topic', md5((-i)::text), 'tags', jsonb_build_array(i % 11, i % 13)), timestamptz '2026-01-01' + i * interval '1 minute'
            FROM generate_series(1, $1::bigint) i
            """,
            cancellation,
            Math.Max(1, messages / 10),
            Math.Max(1, messages / 10));
        await session.ExecuteAsync(
            """
            INSERT INTO messages (user_id, body, tokens, cost, sent_at)
            SELECT 1 + (i * 7919) % $2::bigint, md5(i::text) || ' said that ' || md5((i / 3)::text) || '.', i % 4096, (i % 1000) / 997.0, timestamptz '2026-01-01' + i * interval '1 second'
            FROM generate_series(1, $1::bigint) i
            """,
            cancellation,
            messages,
            Math.Max(1, messages / 10));
        await session.ExecuteAsync(
            "INSERT INTO votes SELECT i, 1 + i % 1000, (i % 3) - 1, timestamptz '2026-01-01' + i * interval '1 second' FROM generate_series(1, $1::bigint) i",
            cancellation,
            messages);
        await session.ExecuteAsync(Indexes, cancellation);
    }
}
