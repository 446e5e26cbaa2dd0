from strangler.plans import Plan
from strangler.plans.operations import MoveRoutes, MoveTables, RetireTables
from strangler.plans.standing import Entry
from strangler.plans.way_back import way_back

OPERATIONS = (MoveTables(["reviews.Review"]), MoveRoutes(["/api/reviews/"]), RetireTables(["reviews.Review"]))
PLAN = type("Plan", (Plan,), {"service": "reviews", "operations": OPERATIONS})("0001_reviews", None)
ENDLESS = type("Plan", (Plan,), {"service": "reviews", "operations": OPERATIONS[:2]})("0001_reviews", None)


def step(second, **facts):
    return Entry(
        at=f"2026-01-01T00:00:{second:06.3f}+00:00",
        who="ada",
        plan="0001_reviews",
        plan_hash="",
        index=1,
        operation="Move routes",
        direction="forwards",
        event="step",
        facts=facts,
    )


SWITCHED = [
    step(1, step="picture", recovering=True),
    step(2, step="picture"),
    step(3.5, step="switched", to="target", pause_ms=41.2),
]


def test_it_takes_as_long_as_the_last_switch_and_stays_open_until_the_first_final_operation():
    back = way_back(PLAN, SWITCHED, possible=True, by_switch=True)
    assert (back.seconds, back.pause_ms) == (1.5, 41.2)
    assert str(back) == (
        "possible, nothing is lost: what the service has written is carried back; about 1.5 s, 41 ms of it without "
        'writes, as the last switch; open until "Retire tables reviews.Review" is run'
    )


def test_a_switch_that_did_not_come_to_its_end_says_nothing():
    entries = [*SWITCHED, step(10, step="picture"), step(30, step="back_open")]
    assert way_back(PLAN, entries, possible=True, by_switch=True).seconds == 1.5
    assert way_back(PLAN, entries[:2], possible=True, by_switch=True).seconds is None


def test_without_a_switch_in_the_record_nothing_is_guessed():
    back = str(way_back(ENDLESS, (), possible=True, by_switch=True))
    assert back.endswith("how long it takes is not known, since the record has no switch")


def test_where_the_monolith_owns_no_switch_is_needed():
    assert "the monolith owns, and no switch is needed" in str(way_back(PLAN, (), possible=True, by_switch=False))


def test_a_closed_way_has_no_end():
    back = way_back(PLAN, SWITCHED, possible=False, by_switch=True)
    assert (str(back), back.until) == ("not possible now", None)
