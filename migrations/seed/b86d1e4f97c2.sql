-- Data for a fresh local database, to be run once, right after upgrading to b86d1e4f97c2.
-- About 205,000 rows. Deterministic: no random(), no now(). Plain SQL, one transaction is enough.

DO $$
BEGIN
    IF EXISTS (SELECT FROM users) THEN
        RAISE EXCEPTION 'the seed is for a fresh database, and this one has users already';
    END IF;
END
$$;

-- These users stand for those from before display_name: without the trigger nothing fills it in, so the backfill has work.
ALTER TABLE users DISABLE TRIGGER users_sync_display_name;

INSERT INTO users (id, email, name, created_at, updated_at)
SELECT n,
       'user' || n || '@example.com',
       (ARRAY['Ada', 'Björn', 'Chloé', 'Đorđe', 'Élodie', 'Fatma', 'Γιώργος', 'Håkon', 'Ирина', 'José', '健太', 'محمد', 'O''Neill', 'Łukasz'])[n % 14 + 1]
           || ' ' ||
       (ARRAY['Lovelace', 'Müller', 'García', 'Šimić', 'Nakamura', '山田', 'Νικολάου', 'Çelik', 'van der Berg', 'Ødegård', '🦉'])[n % 11 + 1]
           || ' ' || n,
       timestamptz '2025-03-04 10:00:00+00' + n * interval '8 minutes',
       timestamptz '2025-03-04 10:00:00+00' + n * interval '8 minutes'
FROM generate_series(1, 50000) AS n;

ALTER TABLE users ENABLE TRIGGER users_sync_display_name;

INSERT INTO agents (id, slug, title, provider, model, owner_id, created_at)
SELECT n,
       'agent-' || n,
       (ARRAY['Socrates', 'Hypatia', 'Zhuangzi · 莊子', 'Ibn Rushd', 'Émilie du Châtelet'])[n % 5 + 1] || ' #' || n,
       (ARRAY['anthropic', 'openai', 'mistral', 'local'])[n % 4 + 1],
       'model-' || n % 9,
       n * 7919 % 50000 + 1,
       timestamptz '2025-03-05 09:00:00+00' + n * interval '3 hours'
FROM generate_series(1, 400) AS n;

INSERT INTO debates (id, topic, status, rounds, created_by, created_at, closed_at, visibility)
SELECT n,
       'Should we ' || (ARRAY['adopt event sourcing', 'rewrite it — in Rust', 'drop the monolith', 'pay for the café', 'ship on Friday 🚀'])[n % 5 + 1] || '? (' || n || ')',
       (ARRAY['closed', 'closed', 'closed', 'running', 'open', 'cancelled'])[n % 6 + 1],
       3 + n % 5,
       n * 104729 % 50000 + 1,
       timestamptz '2025-03-12 08:00:00+00' + n * interval '61 minutes',
       CASE WHEN n % 6 < 3 THEN timestamptz '2025-03-12 10:00:00+00' + n * interval '61 minutes' END,
       CASE WHEN n % 10 = 0 THEN 'private' ELSE 'public' END
FROM generate_series(1, 6000) AS n;

INSERT INTO debate_participants (debate_id, agent_id, stance)
SELECT debate, (debate * 31 + seat * 113) % 400 + 1, (ARRAY['for', 'against', 'judge'])[seat]
FROM generate_series(1, 6000) AS debate, generate_series(1, 3) AS seat;

INSERT INTO messages (id, debate_id, agent_id, round, body, tokens, created_at)
SELECT n,
       (n - 1) % 6000 + 1,
       (((n - 1) % 6000 + 1) * 31 + (n % 3 + 1) * 113) % 400 + 1,
       n / 18000 + 1,
       'Argument ' || n || ': ' || (ARRAY['it follows that', 'on the contrary,', 'néanmoins,', 'however — and this matters —', 'しかし'])[n % 5 + 1] || ' ' || md5(n::text) || ' ' || md5((n + 1)::text),
       80 + n * 17 % 900,
       timestamptz '2025-03-19 08:00:00+00' + n * interval '5 minutes'
FROM generate_series(1, 80000) AS n;

INSERT INTO votes (id, message_id, user_id, value, created_at)
SELECT n, n * 3, n * 7919 % 50000 + 1, CASE WHEN n % 4 = 0 THEN -1 ELSE 1 END, timestamptz '2025-04-03 08:00:00+00' + n * interval '13 minutes'
FROM generate_series(1, 24000) AS n;

INSERT INTO user_preferences (user_id, theme, language, notifications, updated_at)
SELECT n * 5,
       (ARRAY['system', 'dark', 'light'])[n % 3 + 1],
       (ARRAY['en', 'de', 'fr', 'ja', 'pt-BR'])[n % 5 + 1],
       jsonb_build_object('email', n % 2 = 0, 'digest', (ARRAY['daily', 'weekly', 'never'])[n % 3 + 1]),
       timestamptz '2025-04-16 08:00:00+00' + n * interval '40 minutes'
FROM generate_series(1, 10000) AS n;

INSERT INTO api_keys (id, user_id, label, digest, created_at, revoked_at)
SELECT n, n * 49, 'CI ' || n, sha256(convert_to('key ' || n, 'UTF8')), timestamptz '2025-08-20 08:00:00+00' + n * interval '3 hours',
       CASE WHEN n % 8 = 0 THEN timestamptz '2026-01-02 08:00:00+00' END
FROM generate_series(1, 1000) AS n;

-- From June 2025 to May 2026, some in 2027: every month's partition and the default one.
INSERT INTO audit_events (id, occurred_at, actor_id, action, details)
SELECT n,
       timestamptz '2025-06-01 00:30:00+00' + n * interval '32 minutes' + CASE WHEN n % 500 = 0 THEN interval '17520 hours' ELSE interval '0' END,
       CASE WHEN n % 7 = 0 THEN NULL ELSE n * 7919 % 50000 + 1 END,
       (ARRAY['user.login', 'debate.create', 'debate.close', 'vote.cast', 'api_key.use'])[n % 5 + 1],
       jsonb_build_object('ip', '10.0.' || n % 256 || '.' || n % 199, 'note', (ARRAY['ok', 'déjà vu', '再試行'])[n % 3 + 1])
FROM generate_series(1, 16000) AS n;

-- Ids were given above: set the sequences behind them.
SELECT setval(pg_get_serial_sequence('users', 'id'), 50000);
SELECT setval(pg_get_serial_sequence('agents', 'id'), 400);
SELECT setval(pg_get_serial_sequence('debates', 'id'), 6000);
SELECT setval(pg_get_serial_sequence('messages', 'id'), 80000);
SELECT setval(pg_get_serial_sequence('votes', 'id'), 24000);
SELECT setval(pg_get_serial_sequence('api_keys', 'id'), 1000);
SELECT setval('audit_events_id_seq', 16000);

ANALYZE users, agents, debates, debate_participants, messages, votes, user_preferences, audit_events, api_keys;
