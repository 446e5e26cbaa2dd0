-- What the toolkit keeps in each of the two databases of a move. Safe to run again.
-- docs/protocol.md argues why each of these is as it is.

DO $$
BEGIN
    -- The applier's role: the fences let nobody else pass. Nobody logs in as it; the toolkit's administrator takes it on.
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'strangler_applier') THEN
        CREATE ROLE strangler_applier NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another database of the same server was set up at the same time: roles belong to the server
END
$$;

CREATE SCHEMA IF NOT EXISTS strangler;

-- Who owns the tables of a move, as this database knows it. Every change is a compare-and-set on "epoch".
CREATE TABLE IF NOT EXISTS strangler.ownership (
    move text PRIMARY KEY,
    side text NOT NULL CHECK (side IN ('source', 'target')),
    epoch bigint NOT NULL,
    owns boolean NOT NULL,
    term bigint NOT NULL,
    done boolean NOT NULL DEFAULT false,
    peer_epoch bigint NOT NULL DEFAULT 0,  -- highest epoch seen in the other database: tells a restored backup
    changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);

-- The tables of a move, in the order in which they are locked; a table belongs to one move.
CREATE TABLE IF NOT EXISTS strangler.claims (
    relation text PRIMARY KEY,
    move text NOT NULL REFERENCES strangler.ownership,
    kind text NOT NULL CHECK (kind IN ('moved', 'replicated')),
    position integer NOT NULL
);

-- The trigger log: which keys changed. Rows are read again by key when they are applied.
CREATE TABLE IF NOT EXISTS strangler.changes (
    move text NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
    seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    relation text NOT NULL,
    key jsonb,  -- NULL: the whole table (TRUNCATE)
    PRIMARY KEY (move, xid, seq)
);

-- Up to where the log was thrown away, having been applied and verified.
CREATE TABLE IF NOT EXISTS strangler.pruned (
    move text PRIMARY KEY,
    xid xid8 NOT NULL,
    seq bigint NOT NULL
);

-- How far this database has applied the other's log; changes only with the rows it speaks of.
CREATE TABLE IF NOT EXISTS strangler.checkpoints (
    move text PRIMARY KEY,
    xid xid8 NOT NULL,
    seq bigint NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);

-- How far the copy has come, in key order; changes only with the rows it speaks of.
CREATE TABLE IF NOT EXISTS strangler.copies (
    move text NOT NULL,
    relation text NOT NULL,
    last_key jsonb,
    rows bigint NOT NULL DEFAULT 0,
    done boolean NOT NULL DEFAULT false,
    PRIMARY KEY (move, relation)
);

-- The last complete comparison of both sides; keys changed since "xid" in this database's log are not covered by it.
CREATE TABLE IF NOT EXISTS strangler.verifications (
    move text PRIMARY KEY,
    xid xid8 NOT NULL,
    rows bigint NOT NULL,
    differences bigint NOT NULL,
    verified_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);

-- Travels with the changes, both ways, to show that each way works.
CREATE TABLE IF NOT EXISTS strangler.heartbeats (
    move text NOT NULL,
    side text NOT NULL,
    beat bigint NOT NULL,
    beat_at timestamptz NOT NULL,
    PRIMARY KEY (move, side)
);

-- Share of the reads that goes to the side that does not own, for the term in which it was set.
CREATE TABLE IF NOT EXISTS strangler.routing (
    move text PRIMARY KEY,
    term bigint NOT NULL,
    n bigint NOT NULL,
    weight integer NOT NULL CHECK (weight BETWEEN 0 AND 10000)
);

GRANT USAGE ON SCHEMA strangler TO PUBLIC;
GRANT SELECT ON strangler.ownership TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA strangler TO strangler_applier;

-- The fence: refuses every writer but the applier. Its triggers are created once and switched.
CREATE OR REPLACE FUNCTION strangler.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    current_term bigint;
BEGIN
    IF current_user = 'strangler_applier' THEN
        RETURN NULL;
    END IF;
    IF TG_ARGV[1] = 'replicated' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'SF002',
            MESSAGE = pg_catalog.format('table "%s" is a read-only copy kept by move "%s"', TG_TABLE_NAME, TG_ARGV[0]),
            HINT = 'Write to the table in the database that owns it.';
    END IF;
    SELECT term INTO current_term FROM strangler.ownership WHERE move = TG_ARGV[0];
    RAISE EXCEPTION USING
        ERRCODE = 'SF001',
        MESSAGE = pg_catalog.format('move "%s" is owned elsewhere (term %s)', TG_ARGV[0], current_term),
        DETAIL = pg_catalog.json_build_object('move', TG_ARGV[0], 'term', current_term)::text;
END
$$;

-- One compare-and-set of the ownership row, and with it, in the same transaction, the fences and the sequences.
-- Returns the new epoch. SF003: the epoch was not the expected one, and nothing was changed.
CREATE OR REPLACE FUNCTION strangler.set_owner(
    p_move text, p_epoch bigint, p_owns boolean, p_term bigint, p_done boolean, p_sequences jsonb
) RETURNS bigint LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    was_owner boolean;
    was_epoch bigint;
    claim record;
    wanted record;
    sequence text;
BEGIN
    PERFORM pg_catalog.set_config('synchronous_commit', 'on', true);
    SELECT owns, epoch INTO was_owner, was_epoch FROM strangler.ownership WHERE move = p_move FOR UPDATE;
    IF was_epoch IS DISTINCT FROM p_epoch THEN
        RAISE EXCEPTION USING
            ERRCODE = 'SF003',
            MESSAGE = pg_catalog.format('ownership of move "%s" is at epoch %s, not %s', p_move, was_epoch, p_epoch);
    END IF;
    IF was_owner <> p_owns THEN
        FOR claim IN
            SELECT relation FROM strangler.claims WHERE move = p_move AND kind = 'moved' ORDER BY position
        LOOP
            EXECUTE pg_catalog.format(
                CASE WHEN p_owns
                    THEN 'ALTER TABLE %s DISABLE TRIGGER strangler_fence'
                    ELSE 'ALTER TABLE %s ENABLE ALWAYS TRIGGER strangler_fence'
                END,
                claim.relation
            );
        END LOOP;
    END IF;
    FOR wanted IN SELECT * FROM pg_catalog.jsonb_to_recordset(p_sequences) AS s(relation text, attribute text, at_least bigint)
    LOOP
        sequence := pg_catalog.pg_get_serial_sequence(wanted.relation, wanted.attribute);
        -- Never downwards: a number once given out is not given out again.
        EXECUTE pg_catalog.format(
            'SELECT pg_catalog.setval(%L, $1) FROM %s WHERE last_value < $1', sequence, sequence
        ) USING wanted.at_least;
    END LOOP;
    UPDATE strangler.ownership
       SET epoch = epoch + 1, owns = p_owns, term = p_term, done = p_done,
           changed_at = pg_catalog.clock_timestamp()
     WHERE move = p_move;
    RETURN p_epoch + 1;
END
$$;
