"""What is collected where not everything can be read, and how often that is done."""

import pytest
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream

from strangler.dashboard.collecting import Collector, collect, observed
from strangler.dashboard.snapshot import ANSWERS, CURRENT, OTHER, Snapshot
from strangler.plans.recorder import Event
from strangler.rollout.engines.base import EngineError
from tests.unit.strangler.plans.test_commands import record, toolkit, write  # noqa: F401 - a fixture


class Engine:
    """As much of a proxy as is asked here."""

    name = "proxy"

    def __init__(self, table):
        self.table = table

    def observe(self):
        if self.table is None:
            raise EngineError("the proxy does not answer")
        return self.table


def table(weight):
    servers = tuple(
        Upstream(name=name, url=f"http://127.0.0.1:{port}") for name, port in (("monolith", 1), ("reviews", 2))
    )
    move = MoveRoutes(
        move="0001_reviews",
        term=1,
        n=2,
        owner="monolith",
        candidate="reviews",
        weight=weight,
        routes=("/api/reviews/",),
    )
    return RouteTable(default="monolith", upstreams=servers, moves=(move,))


@pytest.mark.parametrize(
    ("theirs", "ours", "state"),
    [(0, 0, CURRENT), (0, 500, OTHER), (0, None, ANSWERS)],
)
def test_a_proxy_is_told_by_its_own_table_beside_the_one_that_it_should_have(theirs, ours, state):
    found = observed(Engine(table(theirs)), None if ours is None else table(ours))
    assert (found.state, found.moves) == (state, ("0001_reviews: monolith (1.2)",))


def test_a_canary_is_told_by_its_share():
    (told,) = observed(Engine(table(550)), None).moves
    assert told == "0001_reviews: monolith, 5.5% of the reads reviews (1.2)"


def test_a_proxy_that_does_not_answer_is_told_so():
    found = observed(Engine(None), table(0))
    assert (found.state, found.moves, found.well) == ("the proxy does not answer", (), False)


def test_where_no_database_answers_the_record_is_told_and_nothing_claimed(toolkit):  # noqa: F811
    record(toolkit, (0, Event.STARTED), (0, Event.DONE))
    found = collect()
    (plan,) = found.plans
    assert plan.status is None
    assert plan.report.operations[0].state == "applied"
    assert "cannot connect to the source database" in plan.troubles[0]
    assert {route.owner for route in plan.routes} | {table.owner for table in plan.tables} == {"unknown"}
    assert found.troubles == ()  # what a plan tells is not told again
    assert [proxy.well for proxy in found.proxies] == [False]
    assert found.happenings[0].kind == "done"


def test_a_damaged_record_is_told_and_nothing_claimed(toolkit):  # noqa: F811
    recorder = record(toolkit, (0, Event.STARTED), (0, Event.DONE))
    recorder.path.write_text(recorder.path.read_text().replace("done", "gone"))
    (plan,) = collect().plans
    assert (plan.status, plan.actions, plan.troubles) == (None, (), ())
    assert "was changed after it was written" in plan.report.problems[0]


def test_plans_that_cannot_be_read_are_told_in_a_sentence(toolkit):  # noqa: F811
    write(toolkit, "0001_reviews", "import nothing_of_this_name")
    found = collect()
    assert found.plans == ()
    (trouble,) = found.troubles
    assert "cannot be read: ModuleNotFoundError" in trouble


def test_any_number_of_readers_cost_as_much_as_one():
    made = iter(Snapshot(at=str(number)) for number in range(100))
    collector = Collector(lambda: next(made), keep=3_600)
    assert [collector.current().at for _ in range(5)] == ["0"] * 5
    collector.forget()
    assert collector.current().at == "1"
    again = Collector(lambda: next(made), keep=-1)
    assert [again.current().at for _ in range(2)] == ["2", "3"]
