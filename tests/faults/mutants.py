"""Takes one guard of the protocol away at a time, and sees that seeds or a named test notice it.

A mutant is an exact text of one file and what stands there instead; it is made in a copy of the package that is put
before the real one. "python -m tests.faults.mutants" runs them all, with names only those; "make mutants" does that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEEDS = 40
"""How many seeds a mutant may survive before it counts as not caught."""
_MOVE = "tests/integration/split/test_move.py::"
_GUARDS = "tests/integration/split/test_guards.py::"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One guard, taken away. "by" is the test that must fail; without one, seeds must, from "first" on."""

    name: str
    file: str  # below strangler/split
    old: str
    new: str
    by: str = ""
    first: int = 1


MUTANTS = (
    Mutant(
        name="the compare-and-set does not compare",
        file="postgres/schema.sql",
        old="IF was_epoch IS DISTINCT FROM p_epoch THEN",
        new="IF false THEN",
        first=14,
    ),
    Mutant(
        name="the fence is not switched",
        file="postgres/schema.sql",
        old="    IF was_owner <> p_owns THEN\n",
        new="    IF false THEN\n",
    ),
    Mutant(
        name="the fence does not wait for open writers",
        file="postgres/schema.sql",
        old="            EXECUTE pg_catalog.format(\n                CASE WHEN p_owns",
        new="            EXECUTE pg_catalog.format(\n                CASE WHEN NOT p_owns THEN "
        "'UPDATE pg_catalog.pg_trigger SET tgenabled = ''A'' WHERE tgname = ''strangler_fence'' "
        "AND tgrelid = %1$L::pg_catalog.regclass; UPDATE pg_catalog.pg_class SET reltuples = reltuples "
        "WHERE oid = %1$L::pg_catalog.regclass' WHEN p_owns",
    ),
    Mutant(
        name="going back does not bump the other side",
        file="cutover.py",
        old="other = compare_and_set(self._store(owner.other), self.spec.name, picture.of(owner.other), owns=False)",
        new="other = picture.of(owner.other)",
        first=14,
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
        old="            compare_and_set(self._store(owner), self.spec.name, seen, owns=True)\n",
        new="            assert seen\n",
        by=_GUARDS + "test_a_sleeper_before_the_fence_finds_the_epoch_of_a_recovery",
    ),
    Mutant(
        name="an owner receives rows",
        file="applier.py",
        old="            _refuse_at_owner(stream, changes, owner=owns is None or bool(owns))\n",
        new="",
        by=_MOVE + "test_a_rogue_write_at_the_target_is_noticed",
    ),
    Mutant(
        name="appliers do not take turns",
        file="stream.py",
        old="WHERE move = %s FOR UPDATE",
        new="WHERE move = %s",
        first=105,
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
            changes = read_changes(stream.sender, stream.move, limit)
""",
        new="""    with stream.receiver.transaction():
        with stream.sender.snapshot():
            changes = read_changes(stream.sender, stream.move, limit)
            batch = lock_batch(stream)
            owns = stream.receiver.scalar("SELECT owns FROM strangler.ownership WHERE move = %s", (stream.move,))
""",
    ),
    Mutant(
        name="the log is forgotten before the rows are committed",
        file="applier.py",
        old='        stream.receiver.execute("UPDATE strangler.streams SET batch',
        new="        stream.sender.acknowledge(stream.move, batch, [change.seq for change in changes])\n"
        '        stream.receiver.execute("UPDATE strangler.streams SET batch',
    ),
    Mutant(
        name="all of the log is forgotten, not what was applied",
        file="postgres/store.py",
        old="WHERE move = %s AND seq = ANY(%s))",
        new="WHERE move = %s AND seq <= coalesce((SELECT max(q) FROM unnest(%s::bigint[]) q), 0))",
    ),
    Mutant(
        name="a lost acknowledgement is not reconciled",
        file="applier.py",
        old="        reconcile(stream, batch)\n",
        new="",
        by=_MOVE + "test_a_receiver_that_was_set_back_in_time_is_a_gap",
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
        stream.receiver.load(""",
        new="""    for pair, selection in selected:
        for key in selection if isinstance(selection, tuple) else [selection]:
            one = (key,) if isinstance(selection, tuple) else key
            stream.receiver.delete(pair.of(stream.origin.other), one)
            stream.receiver.load(pair.of(stream.origin.other), stream.sender.dump(pair.of(stream.origin), one))
    for pair, selection in selected[:0]:
        stream.receiver.load(""",
    ),
    Mutant(
        name="a changed key is captured as the new one only",
        file="postgres/guards.py",
        old="IF TG_OP <> 'INSERT' THEN",
        new="IF TG_OP = 'DELETE' THEN",
    ),
    Mutant(
        name="TRUNCATE is not captured",
        file="postgres/guards.py",
        old="IF TG_OP = 'TRUNCATE' THEN {into}NULL); RETURN NULL; END IF; ",
        new="IF TG_OP = 'TRUNCATE' THEN RETURN NULL; END IF; ",
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
        old="        if mine.epoch < peer.peer_epoch:\n",
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
    ),
    Mutant(
        name="changes are applied before the copy is complete",
        file="session.py",
        old="        if not copied(self.target, self.move, self.layout):\n            return 0\n",
        new="",
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
)


def caught(mutant: Mutant) -> str:
    """What noticed it: a seed or a test; empty where nothing did."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as home:
        package = Path(home) / "strangler"
        shutil.copytree(ROOT / "strangler", package, ignore=shutil.ignore_patterns("__pycache__"))
        place = package / "split" / mutant.file
        text = place.read_text(encoding="utf-8")
        if text.count(mutant.old) != 1:
            raise SystemExit(f'mutant "{mutant.name}": {mutant.file} does not hold its text once; write it anew')
        place.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        paths = os.pathsep.join([home, str(ROOT), str(ROOT / "proxy")])
        if mutant.by:
            command = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", mutant.by]
            command += ["-o", f"pythonpath={home}", "-o", "django_find_project=false"]
        else:
            command = ["-m", "tests.faults", "--seeds", str(SEEDS), "--from", str(mutant.first)]
        # Without the directory it runs in, which would come before the copy.
        done = subprocess.run(
            [sys.executable, "-P", *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode == 0:
        return ""
    lines = done.stdout.splitlines()
    if mutant.by:
        return (
            mutant.by.rsplit("::", 1)[-1]
            if any(" failed" in line for line in lines[-3:])
            else "?" + done.stdout[-2000:]
        )
    first = next((n for n, line in enumerate(lines) if line.startswith("seed ")), None)
    if first is None:
        return f"the run ended: {(done.stderr.strip().splitlines() or [''])[-1]}"
    wrong = next((line.strip() for line in lines[first:] if line.startswith("  ") and _is_finding(line)), "")
    return f"{lines[first].split(':')[0]}: {wrong.split(',')[0][:90]}"


def _is_finding(line: str) -> bool:
    return not any(
        line.strip().startswith(who) for who in ("operator", "applier", "client", "watcher", "rival", "clock")
    )


def main() -> int:
    names = sys.argv[1:]
    survived = []
    for mutant in MUTANTS:
        if names and not any(name in mutant.name for name in names):
            continue
        began = time.monotonic()
        by = caught(mutant)
        if not by or by.startswith("?"):
            survived.append(mutant.name)
        sys.stdout.write(f"| {mutant.name} | {by or 'NOT CAUGHT'} | {time.monotonic() - began:.0f} s |\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(survived)} survived: {survived}\n" if survived else "every mutant was caught\n")
    return bool(survived)


if __name__ == "__main__":
    sys.exit(main())
