-- A small notes application, as applications are: foreign keys, a nested table, a job queue, a log.
CREATE TABLE users (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email      text NOT NULL UNIQUE,
    name       text NOT NULL,
    status     text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'invited', 'blocked')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE notes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    title      text NOT NULL,
    body       text NOT NULL DEFAULT '',
    tags       text[] NOT NULL DEFAULT '{}',
    visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'link', 'public')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notes_user_id_created_at_idx ON notes (user_id, created_at DESC);
CREATE INDEX notes_tags_idx ON notes USING gin (tags);
CREATE INDEX notes_public_idx ON notes (updated_at DESC) WHERE visibility = 'public';

CREATE TABLE note_statistics (
    note_id        bigint PRIMARY KEY REFERENCES notes ON DELETE CASCADE,
    views          bigint NOT NULL DEFAULT 0,
    likes          bigint NOT NULL DEFAULT 0,
    comments       bigint NOT NULL DEFAULT 0,
    last_viewed_at timestamptz
);
CREATE INDEX note_statistics_views_idx ON note_statistics (views DESC);

CREATE TABLE note_media (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    note_id bigint NOT NULL REFERENCES notes ON DELETE CASCADE,
    kind    text NOT NULL CHECK (kind IN ('image', 'video', 'file')),
    url     text NOT NULL UNIQUE,
    bytes   bigint NOT NULL CHECK (bytes >= 0),
    width   integer,
    height  integer
);
CREATE INDEX note_media_note_id_idx ON note_media (note_id);

CREATE TABLE comments (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    note_id    bigint NOT NULL REFERENCES notes ON DELETE CASCADE,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    parent_id  bigint REFERENCES comments ON DELETE CASCADE,
    body       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX comments_note_id_created_at_idx ON comments (note_id, created_at);
CREATE INDEX comments_user_id_idx ON comments (user_id);
CREATE INDEX comments_parent_id_idx ON comments (parent_id);

CREATE TABLE crawler_jobs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    note_id      bigint REFERENCES notes ON DELETE SET NULL,
    url          text NOT NULL,
    state        text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    attempts     integer NOT NULL DEFAULT 0,
    error        text,
    scheduled_at timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz
);
CREATE INDEX crawler_jobs_queued_idx ON crawler_jobs (scheduled_at) WHERE state = 'queued';
CREATE INDEX crawler_jobs_note_id_idx ON crawler_jobs (note_id);

CREATE TABLE query_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    user_name   text NOT NULL,
    query       text NOT NULL,
    duration_ms numeric(12, 3) NOT NULL,
    row_count   bigint NOT NULL
);
CREATE INDEX query_log_at_idx ON query_log (at);
CREATE INDEX query_log_slow_idx ON query_log (duration_ms DESC) WHERE duration_ms > 100;
