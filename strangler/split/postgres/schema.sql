-- What the toolkit keeps in each PostgreSQL database of a move. Safe to run again.
-- docs/protocol.md argues why each of these is as it is.

DO $$
BEGIN
    -- The applier's role: the fences let nobody else pass. Nobody logs in as it; the toolkit's administrator takes it on.
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'strangler_applier') THEN
        CREATE ROLE strangler_applier NOLOGIN;
    END IF;
    -- Whoever may create roles does not belong to them by that.
    IF NOT pg_catalog.pg_has_role(
        'strangler_applier',
        CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END
    ) THEN
        GRANT strangler_applier TO CURRENT_USER;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another database of the same server was set up at the same time: roles belong to the server
END
$$;

CREATE SCHEMA IF NOT EXISTS strangler;

-- Times are seconds since 1970 by this database's clock.

-- Who owns the tables of a move, as this database knows it. Every change is a compare-and-set on "epoch".
CREATE TABLE IF NOT EXISTS strangler.ownership (
    move text PRIMARY KEY,
    side text NOT NULL CHECK (side IN ('source', 'target')),
    epoch bigint NOT NULL,
    owns boolean NOT NULL,
    term bigint NOT NULL,
    done boolean NOT NULL DEFAULT false,
    peer_epoch bigint NOT NULL DEFAULT 0,  -- highest epoch seen in the other database: tells a restored backup
    changed_at double precision NOT NULL
);

-- The tables of a move, in the order in which they are locked; a table belongs to one move.
CREATE TABLE IF NOT EXISTS strangler.claims (
    relation text PRIMARY KEY,
    move text NOT NULL REFERENCES strangler.ownership,
    kind text NOT NULL CHECK (kind IN ('moved', 'replicated')),
    position integer NOT NULL
);

-- The log: which keys changed. It is a queue: a row goes when it has been applied, and not before.
CREATE TABLE IF NOT EXISTS strangler.changes (
    move text NOT NULL,
    seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    key text,  -- a JSON array; NULL: the whole table (TRUNCATE)
    PRIMARY KEY (move, seq)
);

-- One row for each move: the stream that this database receives, and the one that it sends.
CREATE TABLE IF NOT EXISTS strangler.streams (
    move text PRIMARY KEY,
    batch bigint NOT NULL DEFAULT 0,  -- received; changes only with the rows it speaks of
    acknowledged bigint NOT NULL DEFAULT 0,  -- the receiver's batch up to which our log is forgotten
    beat bigint NOT NULL DEFAULT 0,  -- sent
    beat_seen bigint NOT NULL DEFAULT 0,  -- received
    beat_seen_at double precision,  -- when it was sent, by the sender's clock
    stopped text  -- why the capture was stopped, where it was
);

-- The keys that were applied since the last comparison, and in which batch they last were.
CREATE TABLE IF NOT EXISTS strangler.unverified (
    move text NOT NULL,
    name text NOT NULL,
    key text NOT NULL,  -- '' is the whole table
    batch bigint NOT NULL,
    PRIMARY KEY (move, name, key)
);

-- How far a table has been cut into ranges, and how many of its rows are copied.
CREATE TABLE IF NOT EXISTS strangler.copies (
    move text NOT NULL,
    name text NOT NULL,
    last_key text,
    size bigint NOT NULL,  -- keys in the next range
    cut boolean NOT NULL DEFAULT false,  -- there is nothing left to cut
    ranges bigint NOT NULL DEFAULT 0,  -- that were cut off
    rows bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (move, name)
);

-- The ranges that are cut off and not copied yet; each goes in the transaction that copies it.
CREATE TABLE IF NOT EXISTS strangler.ranges (
    move text NOT NULL,
    name text NOT NULL,
    number bigint NOT NULL,
    after_key text,
    upto_key text,
    PRIMARY KEY (move, name, number)
);

-- Indexes that are dropped while the tables are filled, each with what makes it again.
CREATE TABLE IF NOT EXISTS strangler.set_aside (
    move text NOT NULL,
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    relation text NOT NULL,  -- the index
    definition text NOT NULL,
    PRIMARY KEY (move, number)
);

-- The last complete comparison of both sides.
CREATE TABLE IF NOT EXISTS strangler.verifications (
    move text PRIMARY KEY,
    shape text NOT NULL,  -- of the tables that were compared
    rows bigint NOT NULL,
    differences bigint NOT NULL,
    verified_at double precision NOT NULL
);

-- Share of the reads that goes to the side that does not own, for the term in which it was set.
CREATE TABLE IF NOT EXISTS strangler.routing (
    move text PRIMARY KEY,
    term bigint NOT NULL,
    n bigint NOT NULL,
    weight integer NOT NULL CHECK (weight BETWEEN 0 AND 10000),
    shadow integer NOT NULL CHECK (shadow BETWEEN 0 AND 10000),  -- of the owner's reads, those asked there as well
    early boolean NOT NULL DEFAULT false  -- whether those of its clients who come before the others are there
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
    IF TG_ARGV[1] = 'boundary' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'SF004',
            MESSAGE = pg_catalog.format(
                'a row of table "%s" would come to belong to move "%s", or cease to', TG_TABLE_NAME, TG_ARGV[0]
            ),
            HINT = 'Make the change in the database where the rows came from, while that owns them.';
    END IF;
    IF TG_OP <> 'TRUNCATE' AND pg_catalog.current_setting('strangler.rehearsal', true) = 'on' THEN
        -- Whoever says so may write, and can never commit: this is no way around.
        PERFORM strangler.doom();
        RETURN NULL;
    END IF;
    SELECT term INTO current_term FROM strangler.ownership WHERE move = TG_ARGV[0];
    RAISE EXCEPTION USING
        ERRCODE = 'SF001',
        MESSAGE = pg_catalog.format('move "%s" is owned elsewhere (term %s)', TG_ARGV[0], current_term),
        DETAIL = pg_catalog.json_build_object('move', TG_ARGV[0], 'term', current_term)::text;
END
$$;

-- One compare-and-set of the ownership row, and with it, in the same transaction, the fences and the sequences.
-- Returns the new epoch. SF003: the epoch was not the expected one, or rows of the tables that a switch has compared
-- have come behind the batch that it has seen; nothing was changed.
CREATE OR REPLACE FUNCTION strangler.set_owner(
    p_move text, p_epoch bigint, p_owns boolean, p_term bigint, p_done boolean, p_sequences jsonb,
    p_compared text[] DEFAULT '{}', p_batch bigint DEFAULT 0
) RETURNS bigint LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    was_owner boolean;
    was_epoch bigint;
    claim record;
    fence text;
    fences integer;
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
    -- Appliers share the row's lock: whoever was at it has committed.
    IF EXISTS (SELECT FROM strangler.unverified WHERE move = p_move AND name = ANY (p_compared) AND batch > p_batch) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'SF003',
            MESSAGE = pg_catalog.format('rows of move "%s" were applied behind batch %s, up to which they were compared', p_move, p_batch);
    END IF;
    IF was_owner <> p_owns THEN
        FOR claim IN
            SELECT relation FROM strangler.claims WHERE move = p_move AND kind = 'moved' ORDER BY position
        LOOP
            PERFORM strangler.switch_fence(claim.relation::regclass, p_owns);
            -- Where only some rows are moved, that one is for TRUNCATE, and a trigger for each event goes with it.
            fences := 0;
            FOR fence IN
                SELECT tgname FROM pg_catalog.pg_trigger
                WHERE tgrelid = claim.relation::regclass AND tgname LIKE 'strangler\_fence\_%' ORDER BY tgname
            LOOP
                fences := fences + 1;
                EXECUTE pg_catalog.format(
                    CASE WHEN p_owns
                        THEN 'ALTER TABLE %s DISABLE TRIGGER %I'
                        ELSE 'ALTER TABLE %s ENABLE ALWAYS TRIGGER %I'
                    END,
                    claim.relation, fence
                );
            END LOOP;
            IF fences NOT IN (0, 3) THEN
                RAISE EXCEPTION 'table "%" lacks triggers of its fence; find out who took them', claim.relation;
            END IF;
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
           changed_at = extract(epoch FROM pg_catalog.clock_timestamp())
     WHERE move = p_move;
    RETURN p_epoch + 1;
END
$$;

-- Called by the captures every few thousand rows: a log beyond the limit stops its capture, so that the disk of the
-- source never fills. The move is lost then and says so; the application goes on.
CREATE OR REPLACE FUNCTION strangler.stop_capture(p_move text, p_limit bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    capture record;
BEGIN
    IF pg_catalog.pg_total_relation_size('strangler.changes') < p_limit THEN
        RETURN;
    END IF;
    FOR capture IN
        SELECT DISTINCT p.proname FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'strangler' AND p.proname LIKE 'strangler\_capture\_%'
          AND pg_catalog.obj_description(p.oid, 'pg_proc') = p_move
        ORDER BY p.proname
    LOOP
        EXECUTE pg_catalog.format(
            'CREATE OR REPLACE FUNCTION strangler.%I() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''',
            capture.proname
        );
    END LOOP;
    UPDATE strangler.streams
       SET stopped = pg_catalog.format('its log of changes had grown to the limit of %s', pg_catalog.pg_size_pretty(p_limit))
     WHERE move = p_move AND stopped IS NULL;
EXCEPTION WHEN OTHERS THEN
    NULL;  -- two writers at once; the next one tries again, and nobody's write fails for it
END
$$;
