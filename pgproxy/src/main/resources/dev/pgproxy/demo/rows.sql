-- The same rows in every run: all values follow from the row number i, none from a clock or a random number.
INSERT INTO users (email, name, status, created_at)
SELECT 'user' || i || '@example.com',
       (ARRAY['Ada', 'Björn', 'Chloé', 'Dmitri', 'Emre', 'Fatima', 'Grace', 'Hiroshi', 'Ines', 'Jun'])[1 + i % 10]
           || ' ' || (ARRAY['Lovelace', 'Ångström', 'Curie', 'Noether', 'Hopper', 'Turing', '山田'])[1 + i % 7],
       CASE WHEN i % 50 = 0 THEN 'blocked' WHEN i % 20 = 0 THEN 'invited' ELSE 'active' END,
       timestamptz '2026-01-01 08:00:00+00' + i * interval '1 hour'
FROM generate_series(1, 200) AS i;

INSERT INTO notes (user_id, title, body, tags, visibility, created_at, updated_at)
SELECT 1 + (i * 7) % 200,
       'Note ' || i || ': ' || (ARRAY['shopping', 'meeting', 'idea', 'recipe', 'travel', 'book'])[1 + i % 6],
       repeat('Line ' || i || ' of a note that somebody wrote down. ', 1 + i % 12),
       ARRAY[(ARRAY['home', 'work', 'later'])[1 + i % 3], 'tag' || i % 40],
       CASE WHEN i % 3 = 0 THEN 'public' WHEN i % 7 = 0 THEN 'link' ELSE 'private' END,
       timestamptz '2026-02-01 09:00:00+00' + i * interval '17 minutes',
       timestamptz '2026-02-01 09:00:00+00' + i * interval '17 minutes' + (i % 90) * interval '1 hour'
FROM generate_series(1, 2000) AS i;

INSERT INTO note_media (note_id, kind, url, bytes, width, height)
SELECT 1 + (i * 11) % 2000,
       k.kind,
       'https://media.example.com/' || i,
       1000 + (i * 7919) % 5000000,
       CASE WHEN k.kind <> 'file' THEN 320 + (i % 5) * 320 END,
       CASE WHEN k.kind <> 'file' THEN 240 + (i % 5) * 240 END
FROM generate_series(1, 1500) AS i,
     LATERAL (SELECT (ARRAY['image', 'image', 'image', 'video', 'file'])[1 + i % 5] AS kind) AS k;

-- five rounds over 1000 notes; most answer the comment of the round before on the same note
INSERT INTO comments (note_id, user_id, parent_id, body, created_at)
SELECT 1 + ((i - 1) % 1000) * 2,
       1 + (i * 13) % 200,
       CASE WHEN i > 1000 AND i % 4 <> 0 THEN i - 1000 END,
       'Comment ' || i || (ARRAY['', ': I agree.', ': Why?', ': Thanks!'])[1 + i % 4],
       timestamptz '2026-03-01 10:00:00+00' + i * interval '7 minutes'
FROM generate_series(1, 5000) AS i;

INSERT INTO note_statistics (note_id, views, likes, comments, last_viewed_at)
SELECT n.id,
       (n.id * 31) % 1000,
       (n.id * 31) % 1000 / 9,
       (SELECT count(*) FROM comments AS c WHERE c.note_id = n.id),
       n.updated_at + interval '1 day'
FROM notes AS n
ORDER BY n.id;

INSERT INTO crawler_jobs (note_id, url, state, attempts, error, scheduled_at, finished_at)
SELECT 1 + (i * 3) % 2000,
       'https://example.com/page/' || i,
       s.state,
       CASE s.state WHEN 'queued' THEN 0 WHEN 'failed' THEN 3 ELSE 1 END,
       CASE WHEN s.state = 'failed' THEN 'HTTP 503' END,
       timestamptz '2026-04-01 00:00:00+00' + i * interval '5 minutes',
       CASE WHEN s.state IN ('done', 'failed') THEN timestamptz '2026-04-01 00:00:30+00' + i * interval '5 minutes' END
FROM generate_series(1, 500) AS i,
     LATERAL (SELECT (ARRAY['done', 'done', 'done', 'queued', 'failed'])[1 + i % 5] AS state) AS s;

INSERT INTO query_log (at, user_name, query, duration_ms, row_count)
SELECT timestamptz '2026-05-01 00:00:00+00' + i * interval '1 second',
       'user' || 1 + i % 200,
       (ARRAY['SELECT * FROM notes WHERE id = $1',
              'SELECT * FROM notes WHERE user_id = $1 ORDER BY created_at DESC LIMIT 20',
              'SELECT * FROM comments WHERE note_id = $1 ORDER BY created_at',
              'UPDATE note_statistics SET views = views + 1 WHERE note_id = $1'])[1 + i % 4],
       CASE WHEN i % 97 = 0 THEN 250 ELSE 0 END + (i * 7919) % 10000 / 1000.0,
       i % 21
FROM generate_series(1, 3000) AS i;

ANALYZE;
