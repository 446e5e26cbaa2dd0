-- What operations of plans, and developers' keys, keep in a PostgreSQL database. Safe to run again.
CREATE SCHEMA IF NOT EXISTS strangler;
GRANT USAGE ON SCHEMA strangler TO PUBLIC;

-- What is applied of a plan's RunSQL and RunPython; a row stands for committed work.
CREATE TABLE IF NOT EXISTS strangler.runs (
    plan text NOT NULL,
    run integer NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (plan, run)
);

-- Read by strangler.task_routes.route in every process of the monolith that sends tasks.
CREATE TABLE IF NOT EXISTS strangler.task_routes (
    task text PRIMARY KEY,
    plan text NOT NULL,
    queue text NOT NULL,
    was text NOT NULL  -- the queue before: where the old consumer may still hold messages
);
GRANT SELECT ON strangler.task_routes TO PUBLIC;

-- Deletions that a service has to follow, until it has.
CREATE TABLE IF NOT EXISTS strangler.cleanups (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL,
    field text NOT NULL,
    key_column text NOT NULL,
    on_delete text NOT NULL,
    key text,  -- NULL: every row, since the whole table was emptied
    made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE OR REPLACE FUNCTION strangler.note_cleanup() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO strangler.cleanups (service, field, key_column, on_delete, key)
    VALUES (
        TG_ARGV[0], TG_ARGV[1], TG_ARGV[2], TG_ARGV[3],
        CASE WHEN TG_OP = 'DELETE' THEN pg_catalog.to_jsonb(OLD) ->> TG_ARGV[4] END
    );
    RETURN NULL;
END
$$;

-- What people asked of a plan's rollout, and who did. Its executor looks at the last one; all of them stay.
CREATE TABLE IF NOT EXISTS strangler.asked (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan text NOT NULL,
    wish text NOT NULL,
    who text NOT NULL,
    asked_at double precision NOT NULL,  -- seconds since 1970 by this database's clock
    fulfilled boolean NOT NULL DEFAULT false
);

-- When the tables of a move that is complete were fenced for good, archived, compared with the archive (where rows are
-- deleted a few at a time) and dropped: seconds since 1970 by this database's clock.
CREATE TABLE IF NOT EXISTS strangler.retirements (
    move text NOT NULL,
    name text NOT NULL,  -- as the plan has it
    relation text NOT NULL,  -- quoted and qualified
    tombstoned_at double precision NOT NULL,
    archived_at double precision,
    rows bigint,
    data_sha256 text,
    shape_sha256 text,
    compared_at double precision,
    dropped_at double precision,
    PRIMARY KEY (move, name)
);

-- Developers' keys: what proxies let their bearers through for. Times are seconds since 1970 by this database's clock.
CREATE TABLE IF NOT EXISTS strangler.api_keys (
    id text PRIMARY KEY,
    developer text NOT NULL,
    digest text NOT NULL,  -- SHA-256 of the secret, which is nowhere
    old text NOT NULL,  -- of the one before the last rotation; good until old_until
    old_until double precision NOT NULL,
    plan text NOT NULL,
    scopes text NOT NULL,  -- a JSON list, as are the routes
    routes text NOT NULL,
    created_at double precision NOT NULL,
    expires_at double precision,
    revoked_at double precision,
    changed bigint NOT NULL UNIQUE  -- the revision of the last change; each change makes a greater one
);

-- Their requests, as each run of a proxy has told last: sums that only grow.
CREATE TABLE IF NOT EXISTS strangler.api_usage (
    process text NOT NULL,
    key_id text NOT NULL,
    day text NOT NULL,  -- of UTC, as in 2026-11-26
    requests bigint NOT NULL,
    refused bigint NOT NULL,
    failed bigint NOT NULL,
    PRIMARY KEY (process, key_id, day)
);
CREATE INDEX IF NOT EXISTS api_usage_day ON strangler.api_usage (day);
