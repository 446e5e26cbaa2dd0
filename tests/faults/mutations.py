"""The guards of the protocol, and what stands in the code when one of them is taken away.

A mutant is an exact text of one file and another one in its place. Where no test is named, seeds must notice it.
"""

from __future__ import annotations

from dataclasses import dataclass

from strangler.split import Capture

_MOVE = "tests/integration/split/test_move.py::"
_GUARDS = "tests/integration/split/test_guards.py::"
_COPYING = "tests/integration/split/test_copying.py::"
_ENGINES = "tests/integration/split/test_engines.py::"
_ROWS = "tests/integration/split/test_rows.py::"
_SPLIT = "tests/integration/plans/operations/test_split_table.py::"
_LOG = "tests/integration/split/test_log_capture.py::"
_REHEARSAL = "tests/integration/split/test_rehearsal.py::"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One guard, taken away. "by" is the test that must fail; without one, a seed must."""

    name: str
    file: str  # below strangler/split
    old: str
    new: str
    by: str = ""
    capture: Capture = Capture.TRIGGERS  # of the seeds


MUTANTS = (
    Mutant(
        name="the compare-and-set does not compare",
        file="postgres/schema.sql",
        old="IF was_epoch IS DISTINCT FROM p_epoch THEN",
        new="IF false THEN",
        by=_MOVE + "test_a_sleeper_cannot_commit_after_somebody_recovered",
    ),
    Mutant(
        name="the fence is not switched",
        file="postgres/schema.sql",
        old="    IF was_owner <> p_owns THEN\n",
        new="    IF false THEN\n",
    ),
    Mutant(
        name="the fence does not wait for open writers",
        file="postgres/partitions.sql",
        old="    EXECUTE pg_catalog.format('ALTER TABLE %s %s TRIGGER strangler_fence', p_table, action);\n",
        new="""    IF p_open THEN
        EXECUTE pg_catalog.format('ALTER TABLE %s DISABLE TRIGGER strangler_fence', p_table);
    ELSE
        UPDATE pg_catalog.pg_trigger SET tgenabled = 'A' WHERE tgname = 'strangler_fence' AND tgrelid = p_table;
        UPDATE pg_catalog.pg_class SET reltuples = reltuples WHERE oid = p_table;
    END IF;
""",
        by=_MOVE + "test_a_transaction_left_open_across_the_switch_is_waited_for",
    ),
    Mutant(
        name="going back does not bump the other side",
        file="cutover.py",
        old="other = compare_and_set(self._store(owner.other), self.spec.name, picture.of(owner.other), owns=False)",
        new="other = picture.of(owner.other)",
        by=_MOVE + "test_a_sleeper_cannot_commit_after_somebody_recovered",
    ),
    Mutant(
        name="going back keeps the old term",
        file="cutover.py",
        old="picture.of(owner), owns=True, term=picture.term + 1)",
        new="picture.of(owner), owns=True, term=picture.term)",
        by=_MOVE + "test_a_switch_that_goes_back_opens_the_old_owner_under_a_new_term",
    ),
    Mutant(
        name="a stable pair is recovered without a bump",
        file="cutover.py",
        old="picture = picture.replaced(compare_and_set(self._store(owner), self.spec.name, seen, owns=True))\n",
        new="assert seen\n",
        by=_GUARDS + "test_a_sleeper_before_the_fence_finds_the_epoch_of_a_recovery",
    ),
    Mutant(
        name="an owner receives rows",
        file="applier.py",
        old="                _refuse_at_owner(stream, read.changes, owner=owns is None or bool(owns))\n",
        new="",
        by=_MOVE + "test_a_rogue_write_at_the_target_is_noticed",
    ),
    Mutant(
        name="appliers do not take turns",
        file="stream.py",
        old="WHERE move = %s FOR UPDATE",
        new="WHERE move = %s",
    ),
    Mutant(
        name="the snapshot is taken before the receiver's lock",
        file="applier.py",
        old="""    with stream.receiver.transaction():
        # Locks in the protocol's order: ownership row, batch number, tables. The snapshot only after them: an
        # applier that waited for its turn must not bring an older picture.
        owns = stream.receiver.scalar("SELECT owns FROM strangler.ownership WHERE move = %s FOR SHARE", (stream.move,))
        batch = lock_batch(stream)
        reconcile(stream, batch)
        with stream.sender.snapshot():
            read = stream.log.read(limit, stream.layout.captured(stream.origin))
""",
        new="""    with stream.receiver.transaction():
        with stream.sender.snapshot():
            read = stream.log.read(limit, stream.layout.captured(stream.origin))
            owns = stream.receiver.scalar(
                "SELECT owns FROM strangler.ownership WHERE move = %s FOR SHARE", (stream.move,)
            )
            batch = lock_batch(stream)
""",
        by=_GUARDS + "test_an_applier_waits_for_its_turn_before_it_looks",
    ),
    Mutant(
        name="the log is forgotten before the rows are committed",
        file="applier.py",
        old='            stream.receiver.execute("UPDATE strangler.streams SET batch',
        new="            stream.log.forget(batch, read)\n"
        '            stream.receiver.execute("UPDATE strangler.streams SET batch',
        by=_LOG + "test_a_reader_that_dies_before_it_forgets_applies_the_same_again",
    ),
    Mutant(
        name="all of the log is forgotten, not what was applied",
        file="postgres/store.py",
        old="WHERE move = %s AND seq = ANY(%s))",
        new="WHERE move = %s AND seq <= coalesce((SELECT max(q) FROM unnest(%s::bigint[]) q), 0))",
        by=_GUARDS + "test_a_row_that_commits_while_others_are_applied_stays_in_the_log",
    ),
    Mutant(
        name="a lost acknowledgement is not reconciled",
        file="applier.py",
        old="        reconcile(stream, batch)\n",
        new="",
        by=_GUARDS + "test_acknowledgements_that_were_lost_one_after_the_other_are_no_gap",
    ),
    Mutant(
        name="an applier that goes on does not look for a gap",
        file="stream.py",
        old="    if contradicted := contradiction(stream.move, stream.origin, batch, acknowledged):\n"
        "        raise Gap(contradicted[1])\n",
        new="",
        by=_GUARDS + "test_an_applier_that_goes_on_notices_a_side_that_was_set_back_in_time",
    ),
    Mutant(
        name="the log's end is read before the fence",
        file="cutover.py",
        old="""        began = self._hold_and_fence(old, picture, to)
        try:
            # The log's end is read after the fence has committed: nothing can come behind it.
            goal = log_end(old, self.spec.name)
""",
        new="""        goal = log_end(old, self.spec.name)
        began = self._hold_and_fence(old, picture, to)
        try:
""",
    ),
    Mutant(
        name="nothing is caught up behind the fence",
        file="cutover.py",
        old="            catch_up(self.streams[to.other], goal, time.monotonic() + self.limits.catch_up)\n",
        new="",
    ),
    Mutant(
        name="what was applied is not compared before the commit",
        file="cutover.py",
        old="            if not verified.equal:\n",
        new="            if False:\n",
        by=_MOVE + "test_a_switch_that_goes_back_opens_the_old_owner_under_a_new_term",
    ),
    Mutant(
        name="sequences are not raised",
        file="cutover.py",
        old="            if highest > there[column]:\n",
        new="            if False:\n",
        by=_MOVE + "test_the_new_owner_gives_out_numbers_behind_the_old_ones",
    ),
    Mutant(
        name="sequences may go down",
        file="postgres/schema.sql",
        old="FROM %s WHERE last_value < $1', sequence, sequence",
        new="FROM %s', sequence, sequence",
        by=_GUARDS + "test_a_sequence_is_never_set_back",
    ),
    Mutant(
        name="no heartbeat is asked for",
        file="move.py",
        old="            if not found and not session.beat(limits.heartbeat):\n",
        new="            if False:\n",
        by=_GUARDS + "test_a_way_back_that_does_not_work_refuses_the_switch",
    ),
    Mutant(
        name="a lag is no reason to refuse",
        file="gates.py",
        old="    if waiting > gate.limits.pending:\n",
        new="    if False:\n",
        by=_GUARDS + "test_a_lag_refuses_the_switch",
    ),
    Mutant(
        name="a verification is not asked for",
        file="gates.py",
        old="    yield from _verified(gate, old)\n",
        new="",
        by=_MOVE + "test_a_switch_is_refused_after_a_verification_that_found_differences",
    ),
    Mutant(
        name="captures and fences are not looked at",
        file="gates.py",
        old="    yield from _guards(gate, old)\n",
        new="",
        by=_GUARDS + "test_a_capture_or_a_fence_that_was_switched_off_refuses_the_switch",
    ),
    Mutant(
        name="an incomplete copy is no reason to refuse",
        file="gates.py",
        old="    yield from _all_copied(gate)\n",
        new="",
        by=_MOVE + "test_a_switch_refuses_with_every_reason_at_once",
    ),
    Mutant(
        name="an old transaction is no reason to refuse",
        file="gates.py",
        old="    yield from _old_writers(gate, old)\n",
        new="",
        by=_MOVE + "test_a_transaction_that_is_open_before_the_switch_refuses_it",
    ),
    Mutant(
        name="a move that is done can be reversed",
        file="gates.py",
        old="    yield from _not_done(gate)\n",
        new="",
        by=_MOVE + "test_complete_closes_the_way_back_and_leaves_tombstones",
    ),
    Mutant(
        name="a comparison also forgets what was applied since",
        file="recent.py",
        old='WHERE move = %s AND batch <= %s", (move, upto[side]))',
        new='WHERE move = %s AND %s > 0", (move, upto[side] + 1))',
        by=_GUARDS + "test_what_is_applied_during_a_comparison_stays_to_be_compared",
    ),
    Mutant(
        name="rows are inserted before others are deleted",
        file="applier.py",
        old="""    for pair, selection in selected:
        stream.receiver.delete(pair.of(stream.origin.other), selection)
    for pair, selection in selected:
        transfer(stream.sender, stream.receiver, pair, stream.origin, selection)
""",
        new="""    for pair, selection in selected:
        for one in [(key,) for key in selection] if isinstance(selection, tuple) else [selection]:
            stream.receiver.delete(pair.of(stream.origin.other), one)
            transfer(stream.sender, stream.receiver, pair, stream.origin, one)
""",
        by=_MOVE + "test_a_unique_value_that_wanders_between_rows_is_followed",
    ),
    Mutant(
        name="a changed key is captured as the new one only",
        file="postgres/guards.py",
        old="IF TG_OP <> 'INSERT' THEN",
        new="IF TG_OP = 'DELETE' THEN",
        by=_MOVE + "test_a_changed_key_leaves_no_row_behind",
    ),
    Mutant(
        name="TRUNCATE is not captured",
        file="postgres/guards.py",
        old="IF TG_OP = 'TRUNCATE' THEN {into}NULL); RETURN NULL; END IF; ",
        new="IF TG_OP = 'TRUNCATE' THEN RETURN NULL; END IF; ",
        by=_MOVE + "test_a_truncated_table_is_brought_over_whole",
    ),
    Mutant(
        name="applied rows are captured back",
        file="postgres/store.py",
        old='            self.connection.execute("SET session_replication_role = replica")\n',
        new="",
    ),
    Mutant(
        name="an epoch below the one that was seen is taken",
        file="ownership.py",
        old="        if mine.epoch < peer.peer_epoch and not (mine.side is lost and peer.owns):\n",
        new="        if False:\n",
        by=_MOVE + "test_a_restored_backup_is_recognised_by_its_epoch",
    ),
    Mutant(
        name="two owners are taken",
        file="ownership.py",
        old="    if picture.source.owns and picture.target.owns:\n",
        new="    if False:\n",
        by=_MOVE + "test_two_owners_stop_everything",
    ),
    Mutant(
        name="a range is copied by whoever comes",
        file="copying.py",
        old='"ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED"',
        new='"ORDER BY number LIMIT 1"',
        by=_COPYING + "test_a_range_is_copied_by_one_worker_at_a_time",
    ),
    Mutant(
        name="a range counts as copied before it is",
        file="copying.py",
        old="""    rows = transfer(source, target, pair, Side.SOURCE, KeyRange(after=_key(after), upto=_key(upto)))
    target.execute(
        "DELETE FROM strangler.ranges WHERE move = %s AND name = %s AND number = %s", (move, pair.name, number)
    )
""",
        new="""    target.execute(
        "DELETE FROM strangler.ranges WHERE move = %s AND name = %s AND number = %s", (move, pair.name, number)
    )
    target.execute("COMMIT")
    rows = transfer(source, target, pair, Side.SOURCE, KeyRange(after=_key(after), upto=_key(upto)))
""",
        by=_COPYING + "test_a_worker_killed_in_the_middle_of_a_range_leaves_it_whole_to_the_next",
    ),
    Mutant(
        name="changes are applied before the copy is complete",
        file="session.py",
        old="        if not copied(self.target, self.move, self.layout):\n            return 0\n",
        new="",
        by=_COPYING + "test_changes_wait_until_the_copy_is_complete",
    ),
    Mutant(
        name="a move is cancelled whatever happened since it was looked at",
        file="installation.py",
        old='WHERE move = %s AND epoch = %s", (move, seen.epoch)',
        new='WHERE move = %s", (move,)',
        by=_GUARDS + "test_a_cancel_that_was_overtaken_by_a_switch_takes_nothing_away",
    ),
    Mutant(
        name="a move is cancelled whoever owns",
        file="move.py",
        old="            if (mine is not None and not mine.owns) or (theirs is not None and theirs.owns):\n",
        new="            if False:\n",
        by=_MOVE + "test_cancel_leaves_nothing_but_the_ownership_rows_and_can_be_created_again",
    ),
    Mutant(
        name="rows that came behind the comparison are committed",
        file="postgres/schema.sql",
        old="    IF EXISTS (SELECT FROM strangler.unverified WHERE",
        new="    IF false AND EXISTS (SELECT FROM strangler.unverified WHERE",
        by=_ENGINES + "test_rows_applied_behind_the_comparison_give_the_switch_up",
    ),
    Mutant(
        name="a switch does not wait for who applies the last batch",
        file="applier.py",
        old="    with stream.receiver.transaction():\n        lock_batch(stream)\n",
        new="",
        by=_ENGINES + "test_rows_applied_behind_the_comparison_give_the_switch_up",
    ),
    Mutant(
        name="the applier leaves the ownership row unlocked",
        file="applier.py",
        old="WHERE move = %s FOR SHARE",
        new="WHERE move = %s",
        by=_GUARDS + "test_no_owner_is_made_while_rows_are_on_their_way_to_it",
    ),
    Mutant(
        name="recovery opens the side that did not own last",
        file="ownership.py",
        old="Side.SOURCE if self.source.term > self.target.term else Side.TARGET",
        new="Side.SOURCE if self.source.term < self.target.term else Side.TARGET",
        by=_MOVE + "test_a_sleeper_cannot_commit_after_somebody_recovered",
    ),
    Mutant(
        name="the new term goes by one side's",
        file="cutover.py",
        old="            term = picture.term + 1\n",
        new="            term = picture.of(to).term + 1\n",
        by=_MOVE + "test_the_canary_weight_is_versioned_within_the_term",
    ),
    Mutant(
        name="a stopped capture is not looked for",
        file="stream.py",
        old="    if stopped := stream.log.stopped():\n",
        new="    if False and (stopped := stream.log.stopped()):\n",
        by=_MOVE + "test_a_log_beyond_its_limit_stops_the_capture_and_not_the_application",
    ),
    Mutant(
        name="a sender that was set back is not looked for",
        file="stream.py",
        old="    if batch > acknowledged + 1:\n",
        new="    if False:\n",
        by=_MOVE + "test_a_sender_that_was_set_back_in_time_is_noticed",
    ),
    Mutant(
        name="the slot is moved on before its place is noted",
        file="postgres/log.py",
        old="""        self._store.execute(
            \"\"\"WITH applied AS (
""",
        new="""        self._store.query("SELECT pg_replication_slot_advance(%s, %s::pg_lsn)", (self._slot, _lsn(upto)))
        self._store.execute(
            \"\"\"WITH applied AS (
""",
        by=_LOG + "test_the_slot_never_stands_before_the_noted_place",
    ),
    Mutant(
        name="the noted place may go back",
        file="postgres/log.py",
        old="SET position = greatest(position, %s::pg_lsn) WHERE",
        new="SET position = %s::pg_lsn WHERE",
        by=_LOG + "test_the_slot_never_stands_before_the_noted_place",
    ),
    Mutant(
        name="a slot that was made anew is not noticed",
        file="postgres/log.py",
        old="        if confirmed > position:\n",
        new="        if False:\n",
        by=_LOG + "test_a_slot_that_was_made_anew_is_a_gap",
    ),
    Mutant(
        name="commits that no snapshot sees yet are read",
        file="postgres/log.py",
        old="            seen = seen and is_visible(transaction.xid, snapshot)\n",
        new="            seen = bool(snapshot)\n",
        by=_LOG + "test_a_commit_that_no_snapshot_sees_yet_is_left_for_the_next_time",
    ),
    Mutant(
        name="what is behind a commit that no snapshot sees yet is read",
        file="postgres/log.py",
        old="            seen = seen and is_visible(transaction.xid, snapshot)\n",
        new="            seen = is_visible(transaction.xid, snapshot)\n",
        by=_LOG + "test_a_commit_that_no_snapshot_sees_yet_is_left_for_the_next_time",
    ),
    Mutant(
        name="the log's end is read without a commit of our own",
        file="postgres/log.py",
        old="""        with self._store.transaction():
            self._emit("strangler.end", "")
""",
        new="",
        by=_LOG + "test_a_commit_that_is_not_on_the_disk_yet_lies_before_the_end",
    ),
    Mutant(
        name="more counts as read than was",
        file="postgres/log.py",
        old="        found.is_all = seen and not found.full\n",
        new="        found.is_all = True\n",
        by=_LOG + "test_a_large_transaction_is_applied_in_batches_and_forgotten_at_its_end",
    ),
    Mutant(
        name="a large transaction is forgotten after its first batch",
        file="postgres/pages.py",
        old="(self.upto,) if last and self.upto else ()",
        new="(self.upto,) if self.upto else ()",
        by=_LOG + "test_a_large_transaction_is_applied_in_batches_and_forgotten_at_its_end",
    ),
    Mutant(
        name="the applier's transactions are not marked in the log",
        file="postgres/store.py",
        old="        if self._marked:\n",
        new="        if False:\n",
        capture=Capture.LOG,
    ),
    Mutant(
        name="the mark in the applier's transactions is not looked for",
        file="postgres/pgoutput.py",
        old="    if prefix == APPLIED:\n",
        new="    if False:\n",
        by=_LOG + "test_what_the_applier_brings_is_not_captured_back",
    ),
    Mutant(
        name="the log of the source begins when the copy is done",
        file="move.py",
        old="        with database.connect(lock_timeout=PATIENCE) as store:\n"
        "            store.log(self.spec.name).start()\n",
        new="        for one in (self.source, database) if database is self.target else ():\n"
        "            with one.connect(lock_timeout=PATIENCE) as store:\n"
        "                store.log(self.spec.name).start()\n",
        by=_LOG + "test_rows_written_while_the_capture_is_installed_arrive",
    ),
    Mutant(
        name="what is published is not looked at",
        file="postgres/store.py",
        old="            yield from publication.faults(self.connection, spec, captured)\n",
        new="            pass\n",
        by=_LOG + "test_a_table_that_does_not_tell_its_keys_any_more_refuses_the_switch",
    ),
    Mutant(
        name="only the first slice is compared",
        file="session.py",
        old="if found.complete or not outcome.equal:",
        new="if True:",
        by=_MOVE + "test_many_keys_are_compared_a_slice_at_a_time",
    ),
    Mutant(
        name="a switch compares what is in one slice",
        file="cutover.py",
        old="if not recent.complete:",
        new="if False:",
        by=_MOVE + "test_more_keys_than_a_pause_has_time_for_give_the_switch_up",
    ),
    Mutant(
        name="ties across the boundary are not looked for by the gates",
        file="gates.py",
        old="for reason in gate.store(side).straddling(gate.layout.moved_tables(side)):",
        new="for reason in ():",
        by=_ROWS + "test_rows_tied_across_the_boundary_are_found_before_the_start_and_before_the_switch",
    ),
    Mutant(
        name="ties across the boundary are not looked for behind the fence",
        file="verification.py",
        old="        orphans=tuple(_ties(source, target, pairs, keys)),\n",
        new="",
        by=_ROWS + "test_a_tie_that_is_written_behind_the_gates_gives_the_switch_up",
    ),
    Mutant(
        name="rows may cross the boundary",
        file="layout.py",
        old="bounded=side is Side.TARGET and pair.target.where is not None,",
        new="bounded=False,",
        by=_ROWS + "test_no_row_crosses_the_boundary_at_the_target_until_the_move_is_over",
    ),
    Mutant(
        name="numbers that both databases give are taken",
        file="gates.py",
        old="        if pair.source.where is None:\n",
        new="        if True:\n",
        by=_ROWS + "test_numbers_that_both_databases_would_give_out_are_refused",
    ),
    Mutant(
        name="a row may leave through the fence",
        file="sqlite/guards.py",
        old='"update": f" AND ({old} OR {new})"',
        new='"update": f" AND ({new})"',
        by=_ROWS + "test_each_side_fences_just_these_rows_while_the_other_owns",
    ),
    Mutant(
        name="rows that give way to others pass the fence",
        file="sqlite/guards.py",
        old="    for verb, gives_way in _giving_way(connection, table).items():\n        spared",
        new="    for verb, gives_way in ():\n        spared",
        by=_ROWS + "test_each_side_fences_just_these_rows_while_the_other_owns",
    ),
    Mutant(
        name="the other shape is looked at in an old snapshot",
        file="mysql/two_shapes.py",
        old='_LOCKED = "LOCK IN SHARE MODE"',
        new='_LOCKED = ""',
        by=_SPLIT + "test_in_an_old_snapshot_the_other_shape_is_looked_at_as_it_is_now",
    ),
    Mutant(
        name="shapes part before the guard of the old one stands",
        file="mysql/shape_rows.py",
        old="""        yield from self._missing(self._to.guards())
        into_wide = [trigger for trigger in self._to.equals() if trigger.relation == self.narrow.relation]
        from_wide = [trigger for trigger in self._to.equals() if trigger.relation == self.wide.relation]
        yield from (trigger.drop() for trigger in (*into_wide, *from_wide))
""",
        new="""        yield from (trigger.drop() for trigger in self._to.equals())
        yield from self._missing(self._to.guards())
""",
        by=_SPLIT + "test_a_list_of_statements_that_is_cut_off_costs_no_write_and_is_finished_by_the_next_run",
    ),
    Mutant(
        name="a rehearsal passes the fence without its doom",
        file="postgres/schema.sql",
        old="        PERFORM strangler.doom();\n        RETURN NULL;",
        new="        RETURN NULL;",
        by=_REHEARSAL + "test_what_has_passed_the_fence_cannot_be_committed_in_any_way",
    ),
    Mutant(
        name="a rehearsal is not doomed from its beginning",
        file="postgres/rehearsal.sql",
        old="    PERFORM strangler.doom();\n    PERFORM pg_catalog.set_config",
        new="    PERFORM pg_catalog.set_config",
        by=_REHEARSAL + "test_a_rehearsal_that_a_switch_overtakes_cannot_commit",
    ),
    Mutant(
        name="the doom holds for ordinary sessions alone",
        file="postgres/rehearsal.sql",
        old="        ALTER TABLE strangler.doomed ENABLE ALWAYS TRIGGER refuse_commit;\n",
        new="",
        by=_REHEARSAL + "test_what_has_passed_the_fence_cannot_be_committed_in_any_way",
    ),
    Mutant(
        name="the effects of others are told as well",
        file="postgres/rehearsal.sql",
        old=" AND strangler.is_ours(c.xmin)",
        new="",
        by=_REHEARSAL + "test_only_the_transactions_own_rows_are_told_those_of_its_savepoints_too",
    ),
)
