"""One move, with the verbs of its life: create, copy, catch up, verify, switch, recover, complete, cancel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from strangler.split import gates, installation, setback
from strangler.split.copying import CopyProgress, Throttle, copied, copy, put_back
from strangler.split.cutover import Cutover, OnStep, Step, SwitchAborted, SwitchReport, Traffic, Unclear
from strangler.split.errors import Busy, CasFailed, Gap, Refused, SplitError, TwoOwners
from strangler.split.layout import read_layout
from strangler.split.limits import Limits
from strangler.split.ownership import Picture, compare_and_set, read_ownership, take_picture
from strangler.split.preconditions import refuse_unfit
from strangler.split.session import PATIENCE, Session
from strangler.split.spec import Capture, MoveSpec, Side
from strangler.split.status import MoveStatus, Routing, read_routing, read_status, unknown
from strangler.split.store import Database, Role
from strangler.split.stream import Stream
from strangler.split.verification import Difference, Verification

_RECOVERIES = 10
_UNHURRIED = Limits(lock=PATIENCE)


class Move:
    """One aggregate's tables on their way from a source to a target database.

    Every verb opens its own connections, so that an object can be kept and used from anywhere. Both DSNs need an
    administrator: the owner of the tables, who may create roles and set session_replication_role.
    """

    def __init__(self, spec: MoveSpec, source_dsn: str, target_dsn: str, throttle: Throttle | None = None) -> None:
        self.spec = spec
        self.throttle = throttle or Throttle()
        self.source = Database(name="source", dsn=source_dsn)
        self.target = Database(name="target", dsn=target_dsn)

    def create(self) -> list[str]:
        """Set the move up on both sides: claims, fences, captures. Safe to run again.

        Returns what the target goes without, a sentence each. Raises Refused before the first effect where the tables
        are not fit to be moved.
        """
        with self.source.connect() as source, self.target.connect() as target:
            setback.created(source, target, self.spec.name)
            layout = read_layout(self.spec, source, target)
            warnings = refuse_unfit(source, target, self.spec, layout)
            if setback.half_cancelled(source, target, self.spec.name):
                # What is left of the log speaks of changes that the new copy has.
                self.cancel()
            # The target first: its fence stands before the source's log speaks of it.
            installation.install(target, self.spec, layout, Side.TARGET)
            installation.install(source, self.spec, layout, Side.SOURCE)
        return warnings

    def effects(self) -> Iterator[str]:
        """The statements that create() would run, for a dry run. This is a read-only operation."""
        with self.source.connect() as source, self.target.connect() as target:
            layout = read_layout(self.spec, source, target)
            try:
                for warning in refuse_unfit(source, target, self.spec, layout):
                    yield f"-- warning: {warning}"
            except Refused as error:
                # An operation before this one may still change that; create() looks again.
                yield f"-- would be refused now: {error}"
            for side, store in ((Side.TARGET, target), (Side.SOURCE, source)):
                yield f"-- in the {side} database: the toolkit's own tables in strangler, then"
                for statement in installation.statements(store, self.spec, layout, side):
                    yield statement + ";"
                if self.spec.capture == Capture.LOG:
                    yield "-- and a logical replication slot, when the copy begins (source) or is done (target)"
            for pair in layout.pairs:
                yield f"-- copy {pair.source} in ranges of its key, then follow the changes"

    def copy(self, on_progress: Callable[[CopyProgress], None]) -> CopyProgress:
        """Copy what is not copied yet, resuming behind the ranges that were committed.

        As many as like may call this at once, from any host: they share the ranges. Raises SplitError where the move
        is cancelled meanwhile.
        """
        with self.session() as session:
            # What is copied must be followed from before; the copies themselves are not to be followed back.
            self._start_log(self.source)
            layout, source = session.layout, session.source
            if copied(session.target, self.spec.name, layout):
                self._start_log(self.target)
                return copy(source, session.target, self.spec.name, layout, on_progress)
            with ExitStack() as stack:
                # An autovacuum of the new rows may be in the way for a while: no switch's short lock timeout here.
                filling = stack.enter_context(self.target.connect(Role.APPLIER, lock_timeout=PATIENCE))
                filling.relax()
                target = stack.enter_context(self.target.connect(lock_timeout=PATIENCE))
                done = copy(source, filling, self.spec.name, layout, on_progress, throttle=self.throttle)
                put_back(source, target, filling, self.spec.name, layout, on_progress=on_progress)
                target.analyze(pair.target for pair in layout.pairs)
            self._start_log(self.target)
        return done

    def copying(self) -> bool:
        """Whether the move is created and its copy not complete. This is a read-only operation."""
        with self.source.connect() as source, self.target.connect() as target:
            if not setback.created(source, target, self.spec.name):
                return False
            return not copied(target, self.spec.name, read_layout(self.spec, source, target))

    def apply_once(self) -> int:
        """Apply one batch in each direction; the number of changes applied. Nothing before the copy is complete."""
        with self.session() as session:
            return session.apply_once()

    def catch_up(self, seconds: float = PATIENCE) -> None:
        """Apply, both ways, everything that is in the logs now."""
        with self.session() as session:
            session.catch_up(seconds)

    def verify(self) -> Verification:
        """Compare all tables on both sides while writes go on, and note the outcome. Changes no row of theirs."""
        with self.session(_UNHURRIED) as session:
            return session.verify()

    def repair(self, differences: Iterable[Difference]) -> None:
        """Bring the owner's rows of these keys over to the other side, as if they had just changed, and catch up.

        No row of the owner is touched. A switch is refused until a verification has found both sides equal. Raises
        Refused where nobody owns, or where a completed move has no other side any more.
        """
        differences = list(differences)
        with self.session(_UNHURRIED) as session:
            picture = take_picture(session.source, session.target, self.spec.name)
            if picture.owner is None:
                raise Refused(f'move "{self.spec.name}" cannot be repaired: {picture}; recover it first')
            moved = {pair.source.relation for pair in session.layout.moved}
            if picture.done and any(difference.table in moved for difference in differences):
                raise Refused(
                    f'move "{self.spec.name}" is complete, and its tables at the source are tombstones, to which '
                    "nothing is carried any more; look at these rows by hand"
                )
            session.repair(differences, picture.owner)

    def switch(
        self, to: Side, traffic: Traffic, on_step: OnStep | None = None, limits: Limits | None = None
    ) -> SwitchReport:
        """Make "to" the owner: the whole cutover. From source to target, or the other way: reverse.

        Raises Refused (nothing changed) or SwitchAborted (gone back, or recovered).
        """
        limits = limits or Limits()
        announce = on_step or _silent
        try:
            with self.session(limits) as session:
                try:
                    return self._cutover(session, traffic, announce, limits).switch(to)
                finally:
                    _remember_peers(session)
        except Unclear as error:
            picture = self.recover(traffic, announce)
            raise SwitchAborted(f"the switch was given up ({error}) and recovered: {picture}") from error

    def recover(self, traffic: Traffic, on_step: OnStep | None = None) -> Picture:
        """Bring the move to rest where an executor left it in the middle; then publish the routes."""
        limits = Limits()
        for attempt in range(1, _RECOVERIES + 1):
            try:
                with self._open(limits) as session:
                    self._refuse_recovery(session)
                    picture = self._cutover(session, traffic, on_step or _silent, limits).recover()
                    _remember_peers(session)
                    return picture
            except (CasFailed, Busy):
                # Somebody else recovers too, or switches: look again.
                if attempt == _RECOVERIES:
                    raise
                time.sleep(0.2)
        raise AssertionError("at least one attempt is made")

    def complete(self, traffic: Traffic, on_step: OnStep | None = None) -> None:
        """End the move: the target owns for good, the way back is closed, the source's fences stay as tombstones."""
        announce = on_step or _silent
        with self.session() as session:
            announce(Step.PICTURE, {"completing": True})
            picture = take_picture(session.source, session.target, self.spec.name)
            if picture.owner is not Side.TARGET:
                raise Refused(f'move "{self.spec.name}" cannot be completed: {picture}; switch it to the target first')
            if not picture.done:
                announce(Step.COMMIT, {"done": True})
                compare_and_set(session.target, self.spec.name, picture.target, owns=True, done=True)
                _remember_peers(session)
            announce(Step.PUBLISH, {"owner": Side.TARGET.value, "term": picture.term})
            traffic.publish(Side.TARGET, picture.term, 0, 0)
            with session.target.transaction():
                session.target.run(
                    session.target.take_down(self.spec, (), session.layout.moved_tables(Side.TARGET), Side.TARGET)
                )
            if self.spec.capture == Capture.LOG and not self.spec.replicated:
                # Nothing is followed any more: a slot that stays would hold the server's log back.
                with session.source.transaction():
                    session.source.run(session.source.take_down(self.spec, (), (), Side.SOURCE))
            announce(Step.DONE, {"done": True})

    def cancel(self) -> None:
        """Give the move up: captures, fences and claims go, and the target's copies with them.

        Refused unless the source owns; raises CasFailed where that changes meanwhile. Safe to run again.
        """
        with self.source.connect() as source, self.target.connect() as target:
            mine, theirs = (read_ownership(store, self.spec.name) for store in (source, target))
            if mine is None and theirs is None:
                return
            setback.refuse_cancel(source, target, self.spec.name)
            if (mine is not None and not mine.owns) or (theirs is not None and theirs.owns):
                raise Refused(f'move "{self.spec.name}" cannot be cancelled: the source does not own; reverse it first')
            layout = read_layout(self.spec, source, target)
            sides = ((source, Side.SOURCE, mine), (target, Side.TARGET, theirs))
            # Both rows are held before anything goes, and until the target, then the source, has committed: a switch
            # that began meanwhile is found, and none can begin.
            with ExitStack() as both:
                for store, _, row in sides:
                    if row is not None:
                        both.enter_context(installation.leaving(store, row, self.spec.name))
                for store, side, row in reversed(sides):
                    if row is not None:
                        installation.uninstall(store, self.spec, layout, side)

    def set_weight(self, weight: int, shadow: int = 0, early: bool = False) -> Routing:
        """Persist the canary's weight and the shadows' share (0-10000) under the next version; publish them later.

        "early" says whether the clients who come before all others are at the side that does not own.
        """
        with self.source.connect() as source, self.target.connect() as target:
            now = read_routing(self.spec.name, source, target)
            with source.transaction():
                # Only behind what was read: a step of a newer term, or another one with this number, must not go.
                source.execute(
                    "DELETE FROM strangler.routing WHERE move = %s AND (term < %s OR (term = %s AND n = %s))",
                    (self.spec.name, now.term, now.term, now.n),
                )
                source.execute(
                    "INSERT INTO strangler.routing (move, term, n, weight, shadow, early)"
                    " VALUES (%s, %s, %s, %s, %s, %s)",
                    (self.spec.name, now.term, now.n + 1, weight, shadow, early),
                )
            return read_routing(self.spec.name, source, target)

    def routing(self) -> Routing | None:
        """Owner, version and weight as persisted; None before the move is created. This is a read-only operation."""
        with self.source.connect() as source, self.target.connect() as target:
            if not setback.created(source, target, self.spec.name):
                return None
            return read_routing(self.spec.name, source, target)

    def picture(self) -> Picture | None:
        """Both ownership rows; None before the move is created. This is a read-only operation."""
        with self.source.connect() as source, self.target.connect() as target:
            created = setback.created(source, target, self.spec.name)
            return take_picture(source, target, self.spec.name) if created else None

    def status(self) -> MoveStatus:
        """Everything about the move at this moment. This is a read-only operation."""
        with self.source.connect() as source, self.target.connect() as target:
            try:
                if not setback.created(source, target, self.spec.name):
                    return unknown(self.spec.name, "the move is not created")
                setback.refuse_set_back(source, target, self.spec.name)
                return read_status(self.spec, source, target)
            except (TwoOwners, Gap) as error:
                return unknown(self.spec.name, str(error), broken=True)

    @contextmanager
    def session(self, limits: Limits | None = None) -> Iterator[Session]:
        """Connections to work with the move for a while.

        Raises SplitError where it is not created, and Gap where one of the databases was set back in time.
        """
        with self._open(limits) as session:
            setback.refuse_set_back(session.source, session.target, self.spec.name)
            yield session

    @contextmanager
    def _open(self, limits: Limits | None) -> Iterator[Session]:
        lock = (limits or Limits()).lock
        with ExitStack() as stack:
            source = stack.enter_context(self.source.connect(Role.SWITCH, lock_timeout=lock))
            target = stack.enter_context(self.target.connect(Role.SWITCH, lock_timeout=lock))
            if not setback.created(source, target, self.spec.name):
                raise SplitError(f'move "{self.spec.name}" is not created; create it first')
            source.compare_with(target)
            target.compare_with(source)
            layout = read_layout(self.spec, source, target)
            streams = {
                origin: Stream(
                    move=self.spec.name,
                    origin=origin,
                    layout=layout,
                    shape=store.shape(layout.captured(origin)),
                    sender=sender,
                    log=sender.log(self.spec.name),
                    receiver=stack.enter_context(receiver.connect(Role.APPLIER)),
                )
                for origin, store, sender, receiver in (
                    (Side.SOURCE, source, stack.enter_context(self.source.connect()), self.target),
                    (Side.TARGET, target, stack.enter_context(self.target.connect()), self.source),
                )
            }
            yield Session(move=self.spec.name, layout=layout, source=source, target=target, streams=streams)

    def _cutover(self, session: Session, traffic: Traffic, on_step: OnStep, limits: Limits) -> Cutover:
        def refusals(picture: Picture, to: Side) -> list[str]:
            gate = gates.Gate(
                spec=self.spec,
                layout=session.layout,
                source=session.source,
                target=session.target,
                picture=picture,
                limits=limits,
            )
            found = list(gates.refusals(gate, to))
            if not found and not session.beat(limits.heartbeat):
                found.append(
                    f"a heartbeat did not come back within {limits.heartbeat:g} s, so the way back is not shown to work"
                )
            # What was written since the last verification, so that little is left to compare behind the fence.
            if not found and not (recent := session.verify_recent()).equal:
                found.append(f"the sides differ: {recent}")
            return found

        return Cutover(
            spec=self.spec,
            source=session.source,
            target=session.target,
            streams=session.streams,
            pairs=session.layout.moved,
            traffic=traffic,
            gates=refusals,
            on_step=on_step,
            limits=limits,
        )

    def _start_log(self, database: Database) -> None:
        with database.connect(lock_timeout=PATIENCE) as store:
            store.log(self.spec.name).start()

    def _refuse_recovery(self, session: Session) -> None:
        """The last owner must not own again with less than it had; the other side may have lost what it likes."""
        owner = take_picture(session.source, session.target, self.spec.name).last_owner
        if sentence := setback.set_back(session.source, session.target, self.spec.name).get(owner):
            raise Gap(sentence)


def _remember_peers(session: Session) -> None:
    with suppress(SplitError):
        # What is wrong is found by the next look; what was done must not look failed for this.
        session.remember_peers()


def _silent(step: Step, facts: Mapping[str, Any]) -> None:
    """For callers that watch no steps."""
