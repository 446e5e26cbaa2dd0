-- Moves whose changes are read from the server's own log (docs/decisions/0008-log-capture.md).
CREATE TABLE IF NOT EXISTS strangler.slots (
    move text PRIMARY KEY,
    slot name NOT NULL,  -- and the publication's name
    position pg_lsn  -- up to which all is applied; NULL: not begun
);

-- Take a move's slot and publication away. An applier that reads the slot just now is waited for.
CREATE OR REPLACE FUNCTION strangler.drop_slot(p_move text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    ours name;
BEGIN
    DELETE FROM strangler.slots WHERE move = p_move RETURNING slot INTO ours;
    IF ours IS NULL THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format('DROP PUBLICATION IF EXISTS %I', ours);
    FOR attempt IN 1..100 LOOP
        BEGIN
            PERFORM pg_catalog.pg_drop_replication_slot(slot_name)
            FROM pg_catalog.pg_replication_slots WHERE slot_name = ours;
            RETURN;
        EXCEPTION WHEN object_in_use THEN
            PERFORM pg_catalog.pg_sleep(0.05);
        END;
    END LOOP;
    RAISE EXCEPTION USING
        ERRCODE = 'object_in_use',
        MESSAGE = pg_catalog.format('the replication slot "%s" is in use', ours);
END
$$;
