"""What the wiring makes of plans and their records, without asking any database."""

import pytest

from strangler.plans import PlanError, wiring
from strangler.plans.recorder import Event

NOWHERE = "postgresql://ada:lovelace@127.0.0.1:1/shop"
PLAN = """
from datetime import timedelta
from strangler import plans
from strangler.plans.operations import (
    ArchiveTables, CutForeignKey, DropTables, MoveRoutes, MoveTables, ReplicateTable, RetireTables
)

MODELS = ["reviews.Review", "reviews.Vote"]

class Plan(plans.Plan):
    service = "reviews"
    operations = [
        CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut_foreign_keys"),
        CutForeignKey("reviews.Review.author", keep="author_id", migration="0002_cut_foreign_keys"),
        CutForeignKey("reviews.Vote.voter", keep="voter_id", migration="0002_cut_foreign_keys"),
        ReplicateTable("catalog.Product", columns=["id", "name"]),
        MoveTables(MODELS),
        MoveRoutes(["/api/reviews/"]),
        RetireTables(MODELS),
        ArchiveTables(MODELS, to="archive", after=timedelta(days=7)),
        DropTables(MODELS, after=timedelta(days=30)),
    ]
"""


@pytest.fixture
def toolkit(settings, tmp_path):
    (tmp_path / "0001_reviews").mkdir()
    (tmp_path / "0001_reviews" / "plan.py").write_text(PLAN)
    settings.STRANGLER = {
        "PLANS": tmp_path,
        "SOURCE_DSN": NOWHERE,
        "SERVICES": {"reviews": {"DSN": NOWHERE, "UPSTREAM": "http://127.0.0.1:1"}},
    }


def test_the_settings_bound_a_copy_and_its_log(toolkit, settings):
    settings.STRANGLER["COPY"] = {"ROWS_PER_SECOND": 500, "REPLICA_LAG": 3, "LOG_LIMIT": 2**40}
    (move,) = wiring.moves()
    assert (move.throttle.rows_per_second, move.throttle.replica_lag, move.throttle.running) == (500, 3, None)
    assert move.spec.log_limit == 2**40


def record(event, index):
    (plan,) = wiring.project().plans
    wiring.recorder(plan).append(event, plan_hash="", index=index, operation="", direction="forwards", facts={})


@pytest.mark.parametrize(("event", "index"), [(None, 0), (Event.DONE, 4), (Event.DONE, 7)])
def test_a_move_has_its_tables_as_long_as_none_of_them_may_be_dropped(toolkit, event, index):
    if event:
        record(event, index)
    (move,) = wiring.moves()
    assert move.spec.moved == ("reviews_review", "reviews_vote")


@pytest.mark.parametrize("event", [Event.STARTED, Event.DONE])
def test_from_the_drop_on_only_its_copies_are_followed(toolkit, event):
    record(event, 8)
    (move,) = wiring.moves()
    assert (move.spec.moved, [replica.table for replica in move.spec.replicated]) == ((), ["catalog_product"])


def test_a_plan_of_copies_alone_is_followed_and_has_a_status(toolkit, tmp_path):
    plan = PLAN[: PLAN.index("        CutForeignKey")] + PLAN[PLAN.index("        ReplicateTable") :]
    plan = plan[: plan.index("        MoveTables(MODELS)")] + "    ]\n"
    (tmp_path / "0001_reviews" / "plan.py").write_text(plan)
    (move,) = wiring.moves()
    assert (move.spec.moved, [replica.table for replica in move.spec.replicated]) == ((), ["catalog_product"])
    assert wiring.verifier("0001").plan.key.copies_alone == 1


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"SOURCE_DSN": ""},
            r'the setting STRANGLER\["SOURCE_DSN"\] is empty; set it to an administrator of the source',
        ),
        (
            {"SERVICES": {"reviews": {"DSN": "", "UPSTREAM": "http://127.0.0.1:1"}}},
            r'the setting STRANGLER\["SERVICES"\]\["reviews"\]\["DSN"\] is empty; set it',
        ),
        (
            {"SERVICES": {"reviews": {"DSN": NOWHERE, "UPSTREAM": ""}}},
            r'the setting STRANGLER\["SERVICES"\]\["reviews"\]\["UPSTREAM"\] is empty; set it',
        ),
    ],
)
def test_a_setting_that_is_empty_is_named(toolkit, settings, changed, sentence):
    settings.STRANGLER = {**settings.STRANGLER, **changed}
    with pytest.raises(PlanError, match=sentence):
        wiring.moves()
