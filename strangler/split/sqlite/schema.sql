-- What the toolkit keeps in each SQLite database of a move. Safe to run again.
-- The tables are those of the other engines (strangler/split/postgres/schema.sql says what each is for), and one more.

CREATE TABLE IF NOT EXISTS strangler_ownership (
    move TEXT PRIMARY KEY NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('source', 'target')),
    epoch INTEGER NOT NULL,
    owns INTEGER NOT NULL,
    term INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    peer_epoch INTEGER NOT NULL DEFAULT 0,
    changed_at REAL NOT NULL
) WITHOUT ROWID;

-- One row: 1 while the applier changes moved tables. It is 1 only within the applier's own transaction.
CREATE TABLE IF NOT EXISTS strangler_applier (at_work INTEGER NOT NULL);
INSERT INTO strangler_applier SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM strangler_applier);

CREATE TABLE IF NOT EXISTS strangler_claims (
    relation TEXT PRIMARY KEY NOT NULL,
    move TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('moved', 'replicated')),
    position INTEGER NOT NULL
);

-- A number is never given out again, also not when the queue was empty.
CREATE TABLE IF NOT EXISTS strangler_changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    move TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT
);
CREATE INDEX IF NOT EXISTS strangler_changes_of_move ON strangler_changes (move, seq);

CREATE TABLE IF NOT EXISTS strangler_streams (
    move TEXT PRIMARY KEY NOT NULL,
    batch INTEGER NOT NULL DEFAULT 0,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    beat INTEGER NOT NULL DEFAULT 0,
    beat_seen INTEGER NOT NULL DEFAULT 0,
    beat_seen_at REAL,
    stopped TEXT
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS strangler_unverified (
    move TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    batch INTEGER NOT NULL,
    PRIMARY KEY (move, name, key)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS strangler_copies (
    move TEXT NOT NULL,
    name TEXT NOT NULL,
    last_key TEXT,
    size INTEGER NOT NULL,
    cut INTEGER NOT NULL DEFAULT 0,
    ranges INTEGER NOT NULL DEFAULT 0,
    rows INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (move, name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS strangler_ranges (
    move TEXT NOT NULL,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    after_key TEXT,
    upto_key TEXT,
    PRIMARY KEY (move, name, number)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS strangler_verifications (
    move TEXT PRIMARY KEY NOT NULL,
    shape TEXT NOT NULL,
    rows INTEGER NOT NULL,
    differences INTEGER NOT NULL,
    verified_at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS strangler_routing (
    move TEXT PRIMARY KEY NOT NULL,
    term INTEGER NOT NULL,
    n INTEGER NOT NULL,
    weight INTEGER NOT NULL CHECK (weight BETWEEN 0 AND 10000),
    shadow INTEGER NOT NULL CHECK (shadow BETWEEN 0 AND 10000),
    early INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
