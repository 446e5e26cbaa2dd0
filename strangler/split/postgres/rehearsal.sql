-- Rehearsals: writes to a move's tables where another database owns them, in transactions that cannot be committed.
-- docs/protocol.md argues why that leaves the fence as strong as it is. Safe to run again.

-- Nothing is ever committed here: whoever has put a row in, in whatever savepoint is kept, cannot commit, nor prepare.
CREATE UNLOGGED TABLE IF NOT EXISTS strangler.doomed (at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp());

CREATE OR REPLACE FUNCTION strangler.refuse_commit() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SF006',
        MESSAGE = 'this transaction is a rehearsal and cannot be committed',
        HINT = 'It has written to tables that another database owns; roll it back.';
END
$$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'strangler.doomed'::regclass) THEN
        CREATE CONSTRAINT TRIGGER refuse_commit AFTER INSERT ON strangler.doomed
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION strangler.refuse_commit();
        -- Under every session_replication_role.
        ALTER TABLE strangler.doomed ENABLE ALWAYS TRIGGER refuse_commit;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION strangler.doom() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO strangler.doomed DEFAULT VALUES
$$;

-- Let this transaction write to the move's tables, and none of it ever be committed. Its generated keys are taken from
-- beyond those that may arrive meanwhile; that the sequences are others is rolled back as well. Returns the batch of the
-- owner's changes that is here, and the number behind which our changes are. SF007: there is nothing to rehearse.
CREATE OR REPLACE FUNCTION strangler.begin_rehearsal(p_move text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    serial record;
    highest bigint;
BEGIN
    IF (SELECT owns FROM strangler.ownership WHERE move = p_move) IS DISTINCT FROM false THEN
        RAISE EXCEPTION USING
            ERRCODE = 'SF007',
            MESSAGE = pg_catalog.format('move "%s" is not owned elsewhere, so no write to it is rehearsed here', p_move);
    END IF;
    PERFORM strangler.doom();
    PERFORM pg_catalog.set_config('strangler.rehearsal', 'on', true);
    FOR serial IN
        SELECT c.relation, a.attname, s.seqrelid::regclass::text AS sequence, s.seqmax
        FROM strangler.claims c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.relation::regclass AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_catalog.pg_sequence s ON s.seqrelid = pg_catalog.pg_get_serial_sequence(c.relation, a.attname)::regclass
        WHERE c.move = p_move AND c.kind = 'moved' AND s.seqincrement > 0
        ORDER BY c.position
    LOOP
        EXECUTE pg_catalog.format('SELECT coalesce(max(%I), 0) FROM %s', serial.attname, serial.relation) INTO highest;
        EXECUTE pg_catalog.format(
            'ALTER SEQUENCE %s RESTART WITH %s', serial.sequence, least(highest + 1000000, serial.seqmax)
        );
    END LOOP;
    RETURN strangler.stands(p_move);
END
$$;

-- What this database has of a move at this moment: the last change of its own log, whether any waits there, and the
-- batches: received, and known to have arrived at the other side.
CREATE OR REPLACE FUNCTION strangler.stands(p_move text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT pg_catalog.jsonb_build_object(
        'seq', (SELECT coalesce(max(seq), 0) FROM strangler.changes WHERE move = p_move),
        'waits', EXISTS (SELECT FROM strangler.changes WHERE move = p_move AND name <> 'strangler.heartbeat'),
        'received', s.batch,
        'arrived', s.acknowledged
    )
    FROM strangler.streams s WHERE s.move = p_move
$$;

-- Whether a row that is visible was written by this transaction, or by a savepoint of it.
CREATE OR REPLACE FUNCTION strangler.is_ours(p_xid xid) RETURNS boolean LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    ours bigint := pg_catalog.pg_current_xact_id_if_assigned()::text::bigint;
    theirs bigint := (ours >> 32 << 32) | p_xid::text::bigint;
BEGIN
    IF theirs - ours > 2147483648 THEN
        theirs := theirs - 4294967296;
    ELSIF ours - theirs > 2147483648 THEN
        theirs := theirs + 4294967296;
    END IF;
    -- A savepoint's number is greater than its transaction's; what others have written is visible only if committed.
    RETURN coalesce(theirs >= ours AND pg_catalog.pg_xact_status(theirs::text::xid8) = 'in progress', false);
END
$$;

-- The rows of moved tables that this transaction has changed since that number, as they are now: [{table, key, row, generated}], where
-- "row" is null if it is deleted, and "generated" are columns that a sequence fills. Long values are digests. One more
-- than "p_limit" says that there are more.
CREATE OR REPLACE FUNCTION strangler.effects(p_move text, p_after bigint, p_limit integer) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    change record;
    place text;
    condition text;
    made jsonb;
    image jsonb;
    found jsonb := '[]';
BEGIN
    FOR change IN
        SELECT c.name, c.key, min(c.seq) FROM strangler.changes c
        WHERE c.move = p_move AND c.seq > p_after AND c.name <> 'strangler.heartbeat' AND strangler.is_ours(c.xmin)
        GROUP BY c.name, c.key ORDER BY 3 LIMIT p_limit + 1
    LOOP
        SELECT c.relation INTO place FROM strangler.claims c
        WHERE c.move = p_move AND c.kind = 'moved'
          AND (pg_catalog.parse_ident(c.relation))[2] = (pg_catalog.parse_ident(change.name))[
              pg_catalog.array_upper(pg_catalog.parse_ident(change.name), 1)]
        ORDER BY c.relation <> change.name LIMIT 1;
        -- Of copies only the columns that are copied are noted, and nobody rehearses a write to them.
        CONTINUE WHEN place IS NULL;
        SELECT pg_catalog.string_agg(
                   pg_catalog.format(
                       CASE WHEN a.atttypid = 'bytea'::regtype THEN '%I = decode(%L, ''hex'')' ELSE '%I = (%L)::%s' END,
                       a.attname, change.key::jsonb ->> (k.n::int - 1), pg_catalog.format_type(a.atttypid, a.atttypmod)
                   ), ' AND ')
        INTO condition
        FROM pg_catalog.pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, n), pg_catalog.pg_attribute a
        WHERE i.indrelid = place::regclass AND i.indisprimary AND a.attrelid = i.indrelid AND a.attnum = k.attnum;
        image := NULL;
        IF change.key IS NOT NULL THEN
            EXECUTE pg_catalog.format(
                $q$SELECT (SELECT jsonb_object_agg(v.key, CASE WHEN length(v.value::text) > 200
                                                              THEN to_jsonb('md5:' || md5(v.value::text)) ELSE v.value END)
                           FROM jsonb_each(to_jsonb(t)) v)
                   FROM %s t WHERE %s$q$, place, condition
            ) INTO image;
        END IF;
        SELECT coalesce(pg_catalog.jsonb_agg(a.attname), '[]') INTO made FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = place::regclass AND a.attnum > 0 AND NOT a.attisdropped
          AND pg_catalog.pg_get_serial_sequence(place, a.attname) IS NOT NULL;
        found := found || pg_catalog.jsonb_build_object(
            'table', change.name, 'key', change.key::jsonb, 'row', image, 'generated', made
        );
    END LOOP;
    RETURN found;
END
$$;
