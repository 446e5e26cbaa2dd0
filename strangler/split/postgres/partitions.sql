-- Statement triggers fire for the table that a statement names, so a partition that is written directly needs a fence, and
-- a capture of TRUNCATE, of its own: called as its table's, with "_part" behind. Row triggers are PostgreSQL's to keep:
-- new and attached partitions get them.

-- The statement triggers of a move: fences, whose kind is that of the claim, and captures of TRUNCATE, without a kind.
CREATE OR REPLACE FUNCTION strangler.guards_of(p_move text)
RETURNS TABLE (relation regclass, guard text, enabled "char", calls regproc, kind text)
LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT t.tgrelid, t.tgname, t.tgenabled, t.tgfoid, args.kind
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid AND f.pronamespace = 'strangler'::regnamespace
    CROSS JOIN LATERAL (
        SELECT pg_catalog.split_part(pg_catalog.encode(t.tgargs, 'escape'), '\000', 1),
               nullif(pg_catalog.split_part(pg_catalog.encode(t.tgargs, 'escape'), '\000', 2), '')
    ) args(move, kind)
    WHERE t.tgtype & 1 = 0
      AND CASE WHEN args.kind IS NULL
              THEN pg_catalog.obj_description(f.oid, 'pg_proc') = p_move
              ELSE args.move = pg_catalog.encode(pg_catalog.convert_to(p_move, 'UTF8'), 'escape')
          END
$$;

-- What each partition of a move's tables needs; "enabled" is NULL where it lacks it.
CREATE OR REPLACE FUNCTION strangler.partition_guards(p_move text)
RETURNS TABLE (root regclass, part regclass, guard text, enabled "char", wanted "char", calls regproc, kind text)
LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT g.relation, p.relid, g.guard || '_part', t.tgenabled, g.enabled, g.calls, g.kind
    FROM strangler.guards_of(p_move) g
    CROSS JOIN LATERAL pg_catalog.pg_partition_tree(g.relation) p
    LEFT JOIN pg_catalog.pg_trigger t ON t.tgrelid = p.relid AND t.tgname = g.guard || '_part'
    WHERE p.level > 0 AND g.guard NOT LIKE '%\_part'
    ORDER BY g.relation, p.level, p.relid
$$;

-- What is left on tables that were partitions of a move's tables.
CREATE OR REPLACE FUNCTION strangler.detached_guards(p_move text) RETURNS TABLE (relation regclass, guard text)
LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT g.relation, g.guard FROM strangler.guards_of(p_move) g
    WHERE g.guard LIKE '%\_part'
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_trigger t
          WHERE t.tgrelid = pg_catalog.pg_partition_root(g.relation) AND t.tgname || '_part' = g.guard
      )
$$;

-- Guard the partitions that are younger than the move, and let those go that are partitions no more. What happened to
-- their rows meanwhile nobody knows, so the last comparison counts no longer.
CREATE OR REPLACE FUNCTION strangler.adopt_partitions(p_move text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    found record;
BEGIN
    PERFORM FROM strangler.ownership WHERE move = p_move FOR UPDATE;
    FOR found IN SELECT * FROM strangler.partition_guards(p_move) WHERE enabled IS NULL LOOP
        EXECUTE CASE WHEN found.kind IS NULL
            THEN pg_catalog.format(
                'CREATE TRIGGER %I AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s()',
                found.guard, found.part, found.calls)
            ELSE pg_catalog.format(
                'CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
                'FOR EACH STATEMENT EXECUTE FUNCTION %s(%L, %L)',
                found.guard, found.part, found.calls, p_move, found.kind)
        END;
        IF found.kind IS NOT NULL THEN
            EXECUTE pg_catalog.format(
                'ALTER TABLE %s %s TRIGGER %I',
                found.part, CASE found.wanted WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'DISABLE' END, found.guard);
        END IF;
    END LOOP;
    FOR found IN SELECT * FROM strangler.detached_guards(p_move) LOOP
        EXECUTE pg_catalog.format('DROP TRIGGER %I ON %s', found.guard, found.relation);
    END LOOP;
    DELETE FROM strangler.verifications WHERE move = p_move;
END
$$;

-- Take the guards of all partitions away.
CREATE OR REPLACE FUNCTION strangler.release_partitions(p_move text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT * FROM strangler.guards_of(p_move) WHERE guard LIKE '%\_part' ORDER BY relation LOOP
        EXECUTE pg_catalog.format('DROP TRIGGER %I ON %s', found.guard, found.relation);
    END LOOP;
END
$$;

-- Open or close the fence of one table and of all its partitions, the table first.
CREATE OR REPLACE FUNCTION strangler.switch_fence(p_table regclass, p_open boolean) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    action text := CASE WHEN p_open THEN 'DISABLE' ELSE 'ENABLE ALWAYS' END;
    part regclass;
BEGIN
    EXECUTE pg_catalog.format('ALTER TABLE %s %s TRIGGER strangler_fence', p_table, action);
    FOR part IN
        SELECT p.relid FROM pg_catalog.pg_partition_tree(p_table) p
        JOIN pg_catalog.pg_trigger t ON t.tgrelid = p.relid AND t.tgname = 'strangler_fence_part'
        WHERE p.level > 0 ORDER BY p.level, p.relid
    LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s %s TRIGGER strangler_fence_part', part, action);
    END LOOP;
    IF p_open THEN
        RETURN;
    END IF;
    -- Looked at only now: who makes or attaches a partition needs a lock that this transaction has.
    SELECT p.relid INTO part FROM pg_catalog.pg_partition_tree(p_table) p
     WHERE p.level > 0
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = p.relid AND t.tgname = 'strangler_fence_part')
     LIMIT 1;
    IF part IS NOT NULL THEN
        RAISE EXCEPTION 'the partition "%" of "%" has no fence: it is younger than the move', part, p_table;
    END IF;
END
$$;
