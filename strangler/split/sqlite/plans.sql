-- What operations of plans, and developers' keys, keep in a SQLite database;
-- strangler/split/postgres/plans.sql says what each is for. Safe to run again. Times are seconds since 1970.
CREATE TABLE IF NOT EXISTS strangler_runs (
    plan TEXT NOT NULL,
    run INTEGER NOT NULL,
    applied_at REAL NOT NULL DEFAULT ((julianday('now') - 2440587.5) * 86400),
    PRIMARY KEY (plan, run)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS strangler_task_routes (
    task TEXT PRIMARY KEY NOT NULL,
    plan TEXT NOT NULL,
    queue TEXT NOT NULL,
    was TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS strangler_cleanups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    service TEXT NOT NULL,
    field TEXT NOT NULL,
    key_column TEXT NOT NULL,
    on_delete TEXT NOT NULL,
    key TEXT,
    made_at REAL NOT NULL DEFAULT ((julianday('now') - 2440587.5) * 86400)
);

CREATE TABLE IF NOT EXISTS strangler_retirements (
    move TEXT NOT NULL,
    name TEXT NOT NULL,
    relation TEXT NOT NULL,
    tombstoned_at REAL NOT NULL,
    archived_at REAL,
    rows INTEGER,
    data_sha256 TEXT,
    shape_sha256 TEXT,
    compared_at REAL,
    dropped_at REAL,
    PRIMARY KEY (move, name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS strangler_asked (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    plan TEXT NOT NULL,
    wish TEXT NOT NULL,
    who TEXT NOT NULL,
    asked_at REAL NOT NULL,
    fulfilled INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS strangler_api_keys (
    id TEXT PRIMARY KEY NOT NULL,
    developer TEXT NOT NULL,
    digest TEXT NOT NULL,
    old TEXT NOT NULL,
    old_until REAL NOT NULL,
    plan TEXT NOT NULL,
    scopes TEXT NOT NULL,
    routes TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL,
    revoked_at REAL,
    changed INTEGER NOT NULL UNIQUE
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS strangler_api_usage (
    process TEXT NOT NULL,
    key_id TEXT NOT NULL,
    day TEXT NOT NULL,
    requests INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (process, key_id, day)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS strangler_api_usage_day ON strangler_api_usage (day);
