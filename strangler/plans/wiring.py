"""The only place where plans meet Django's settings: it builds what the commands need."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from django.apps import apps
from django.conf import settings
from strangler_proxy.cohorts import Cohorts

from strangler import conf
from strangler.plans.copy_workers import CopyWorkers
from strangler.plans.databases import Databases
from strangler.plans.django_migrations import DjangoMigrations
from strangler.plans.errors import PlanError
from strangler.plans.executor import PlanExecutor
from strangler.plans.gate import ReadinessGate, RehearsalGate
from strangler.plans.judged import Judged
from strangler.plans.lock import plan_lock
from strangler.plans.moves import move_spec
from strangler.plans.plan import Plan
from strangler.plans.project import Project
from strangler.plans.proxies import engine
from strangler.plans.recorder import PlanRecorder
from strangler.plans.rolling import judged as _judged
from strangler.plans.routes import Routes, route_table
from strangler.plans.schema import schema_of
from strangler.plans.state import MONOLITH, PlanKey, ProjectState
from strangler.plans.status import PlanStatus, plan_status
from strangler.plans.touched import touched
from strangler.plans.traffic import MoveTraffic
from strangler.plans.verifying import PlanVerifier
from strangler.plans.watched import watched
from strangler.plans.watching import told
from strangler.plans.wishes import Wishes
from strangler.plans.world import Emit, World
from strangler.rollout import showing
from strangler.rollout.fleet import Fleet
from strangler.split import Capture, Move, Side, SplitError
from strangler.split.copying import Throttle
from strangler.split.store import Database

logger = logging.getLogger(__name__)

_READY = "/health/ready/"
_REHEARSAL = "/health/rehearsal/"


def project() -> Project:
    """All plans below STRANGLER["PLANS"]. Raises PlanError."""
    return Project.load(conf.configuration().plans, schema_of(apps))


def recorder(plan: Plan) -> PlanRecorder:
    """The plan's record below STRANGLER["RECORDS"]."""
    return PlanRecorder(plan.record_path(conf.configuration().records), plan.name)


def executor(announce: Callable[[str], object] = lambda line: None) -> PlanExecutor:
    """An executor over the real world, which tells every event in a line. Raises PlanError."""
    loaded = project()
    return PlanExecutor(
        project=loaded,
        recorder=recorder,
        world=lambda plan, emit: _world(loaded, plan, emit),
        lock=lambda name: _lock(loaded, name),
        announce=lambda entry: announce(str(entry)),
    )


def status(loaded: Project, plan: Plan) -> PlanStatus:
    """What planstatus shows of one plan. This is a read-only operation."""
    move = move_of(loaded, plan)
    record = recorder(plan)
    return plan_status(plan, record.position(), move.status() if move else None, record.entries())


def move_of(loaded: Project, plan: Plan) -> Move | None:
    """The move of the plan's tables, created or not; None where it carries none. Raises PlanError."""
    state = _seen(loaded, plan)
    return _move(plan.key, state) if state.carried_by(plan.name) else None


def wishes(plan: Plan) -> Wishes:
    """What people ask of the plan's rollout. Raises PlanError."""
    return Wishes(databases=_databases(plan.key.service), plan=plan.name)


def judged(loaded: Project, plan: Plan) -> tuple[Judged, ...]:
    """How the plan's canary stands, and the watch after its switch. This is a read-only operation. Raises PlanError."""
    operation = plan.routes
    move = move_of(loaded, plan) if operation else None
    routing = move.routing() if move else None
    if operation is None or routing is None:
        raise PlanError(f'plan "{plan.name}" has no routes on the move; apply it up to its MoveRoutes')

    def cohorts() -> Cohorts:
        return fleet().cohorts(plan.name, (routing.term, routing.n))

    canary = _judged(operation.limits, routing, cohorts)
    if routing.owner is Side.SOURCE or operation.watch is None:
        return (canary,)
    stands = watched(recorder(plan).entries(), routing.term)
    return canary, told(operation.watch, plan.name, routing, stands, cohorts)


def shadowed(plan: Plan) -> str:
    """What shadows of the plan's reads have shown, in lines. This is a read-only operation. Raises PlanError."""
    return "\n".join(showing.lines(fleet().shadowed(plan.name), upstream(plan)))


def upstream(plan: Plan) -> str:
    """The URL at which the plan's service answers. Raises PlanError."""
    return _service(plan.key.service).upstream.rstrip("/")


def moves() -> list[Move]:
    """The moves of all plans that carry tables, created or not. Raises PlanError."""
    return _moves(project())


def verifier(name: str, announce: Callable[[str], object] = lambda line: None) -> PlanVerifier:
    """The verification of a plan's tables, which tells every event in a line. Raises PlanError."""
    loaded = project()
    plan = loaded.plan(name)
    return PlanVerifier(
        plan=plan,
        move=_move(plan.key, _seen(loaded, plan)),
        recorder=recorder(plan),
        lock=lambda: _lock(loaded, plan.name),
        announce=lambda entry: announce(str(entry)),
    )


def help_to_copy(name: str) -> None:
    """Copy with those who copy the plan's tables now; nothing where nobody does, or no more. Raises PlanError."""
    loaded = project()
    plan = loaded.plan(name)
    state = _seen(loaded, plan)
    if not state.carried_by(plan.name):
        return
    move = _move(plan.key, state)
    if not move.copying():
        return
    try:
        move.copy(lambda at: logger.info("%s: %s", plan.name, at))
    except SplitError as error:
        # Whoever runs the plan copies on, or has given it up.
        logger.warning("%s: helping to copy ended: %s", plan.name, error)


def routes(loaded: Project | None = None) -> Routes:
    """The table that follows from plans and databases, and the proxies that it goes to. Raises PlanError."""
    return _routes(loaded or project())


def traffic(move: Move, to: Routes) -> MoveTraffic:
    """What a recovery outside of any plan's run asks of the proxies; what they did not do is logged."""

    def log(event: str, /, **facts: object) -> None:
        logger.warning("%s: %s %s", move.spec.name, event, facts)

    return MoveTraffic(move=move.spec.name, routes=to, emit=log)


def _lock(loaded: Project, name: str) -> AbstractContextManager[Callable[[], None]]:
    return plan_lock(Database(name="source", dsn=_source_dsn()), name, touched(name, loaded.states(name)[-1]))


def _world(loaded: Project, plan: Plan, emit: Emit) -> World:
    shared = _routes(loaded)
    copying = conf.configuration().copying
    service = _service(plan.key.service)
    databases = _databases(plan.key.service)
    return World(
        plan=plan.key,
        root=Path(settings.BASE_DIR),
        migrations=DjangoMigrations(),
        move=lambda state: _move(plan.key, state),
        traffic=MoveTraffic(move=plan.name, routes=shared, emit=emit),
        publish_routes=shared.publish,
        cohorts=lambda routing: shared.fleet.cohorts(plan.name, (routing.term, routing.n)),
        readers=shared.fleet,
        wishes=Wishes(databases=databases, plan=plan.name),
        rehearsals=RehearsalGate(
            service=service.name,
            url=service.upstream.rstrip("/") + _REHEARSAL,
            monolith=_source_dsn(),
            capture=conf.configuration().capture,
        ),
        gate=ReadinessGate(service=service.name, url=service.upstream.rstrip("/") + _READY),
        emit=emit,
        databases=databases,
        entries=lambda: recorder(plan).entries(),
        ask_workers=CopyWorkers(plan=plan.name, app=copying.app, queue=copying.queue, count=copying.workers),
    )


def monolith() -> Databases:
    """The monolith's database alone. Raises PlanError."""
    return Databases(monolith=Database(name="source", dsn=_source_dsn()))


def fleet() -> Fleet:
    """All proxies."""
    configuration = conf.configuration()
    return Fleet(engines=[engine(proxy, configuration.proxy_token) for proxy in configuration.proxies])


def _databases(service: str) -> Databases:
    return Databases(
        monolith=Database(name="source", dsn=_source_dsn()),
        service=Database(name="target", dsn=_service(service).dsn),
        alias="default",
    )


def _routes(loaded: Project) -> Routes:
    configuration = conf.configuration()
    state, known = loaded.final_state(), _moves(loaded)
    upstreams = {MONOLITH: configuration.monolith_upstream}
    upstreams |= {plan.key.service: _service(plan.key.service).upstream for plan in loaded.plans}
    return Routes(
        derive=lambda: route_table(
            state, {move.spec.name: move.routing() for move in known}, upstreams, configuration.gateway
        ),
        fleet=fleet(),
    )


def _moves(loaded: Project) -> list[Move]:
    states = [(plan.key, _seen(loaded, plan)) for plan in loaded.plans]
    return [_move(key, state) for key, state in states if state.carried_by(key.name)]


def _seen(loaded: Project, plan: Plan) -> ProjectState:
    """The state after all plans, but with the plan's tables dropped only if its record says that they may be."""
    reached = loaded.states(plan.name)[recorder(plan).position().highest]
    return replace(loaded.final_state(), dropped_tables=reached.dropped_tables)


def _move(plan: PlanKey, state: ProjectState) -> Move:
    configured = conf.configuration()
    copying = configured.copying
    throttle = Throttle(
        rows_per_second=copying.rows_per_second, replica_lag=copying.replica_lag, running=copying.running
    )
    spec = replace(move_spec(plan, state), capture=Capture(configured.capture))
    if copying.log_limit is not None:
        spec = replace(spec, log_limit=copying.log_limit)
    return Move(spec, _source_dsn(), _service(plan.service).dsn, throttle)


def _service(name: str) -> conf.Service:
    service = conf.configuration().service(name)
    for key, value in (("DSN", service.dsn), ("UPSTREAM", service.upstream)):
        if not value:
            raise PlanError(f'the setting STRANGLER["SERVICES"]["{name}"]["{key}"] is empty; set it')
    return service


def _source_dsn() -> str:
    dsn = conf.configuration().source_dsn
    if not dsn:
        raise PlanError('the setting STRANGLER["SOURCE_DSN"] is empty; set it to an administrator of the source')
    return dsn
