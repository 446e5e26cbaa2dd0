"""The labs: what is told to whoever answers them wrongly. Answers that do not touch each other share one look."""

import difflib

import pytest

from strangler.cli import main
from strangler.workshop.instance import ROOT
from strangler.workshop.lessons.files import tree_of
from strangler.workshop.lessons.step import FIRST_LAB, steps

REMOTE, TASKS = "monolith/reviews/remote.py", "monolith/tasks.py"
GATEWAY, SETTINGS = "monolith/reviews/gateway.py", "monolith/settings.py"
IDENTITY = "extracted/reviews/reviews_service/identity.py"
SERVICE_TRACING = "extracted/reviews/reviews_service/tracing.py"
OUTBOX, INBOX = "monolith/outbox/services.py", "monolith/notifications/consuming.py"
EVENTS = "monolith/orders/events.py"
CONTRACT = "extracted/notifications/tests/contract.py"
NEED = "extracted/notifications/notifications_service/notifications/needs/order.placed.v1.json"
DEPLOYMENT = "labs/deployment.toml"
NOTIFIED = "extracted/notifications/notifications_service/{}.py"


def told(said, *expected):
    assert [one for one in expected if one not in said] == [], said


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [("httpx.Timeout(2.0, connect=0.5)", "60.0"), ("most=4", "most=8"), ("failures=5", "failures=50")],
            ["product pages come before people go", "hold all 8 threads", "ask reviews that fail 30 times"],
        ),
        (
            [
                ("failures=5", "failures=1"),
                ("failure=ReviewsUnavailable", "failure=Exception"),
                ("        return response\n", "        _raise_for(response)\n        return response\n"),
            ],
            ["one error in between", '"not found" are taken for dead'],
        ),
    ],
)
def test_reviews_that_take_the_shop_along_are_told(solved, changes, expected):
    told(solved(21, *((REMOTE, *change) for change in changes)), *expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [
                (IDENTITY, "audience=settings.IDENTITY_AUDIENCE", 'options={"verify_aud": False, "require": ["sub"]}'),
                (IDENTITY, 'options={"require": ["exp", "iat", "sub", "name", "staff", "via"]},\n', ""),
                (GATEWAY, "_service(settings.REVIEWS_URL), reviews_moved)", "_service(settings.REVIEWS_URL), _here)"),
                (GATEWAY, "@lru_cache\ndef _service", "def _here():\n    return False\n\n\n@lru_cache\ndef _service"),
            ],
            [
                "behind the move, Orchard still running, Orchard asks its own database",
                "when they move meanwhile, Orchard asks nobody",
                "for the notifications: taken for ada",
                "which never ends: taken for ada",
            ],
        ),
        (
            [
                (SETTINGS, 'env.text("ORCHARD_REVIEWS_URL", "http://127.0.0.1:8002")', '"http://127.0.0.1:1"'),
                (IDENTITY, "            _enforce_csrf(request)\n", "            pass\n"),
                (IDENTITY, "leeway=_LEEWAY_SECONDS", "leeway=86_400"),
                (IDENTITY, "            issuer=settings.IDENTITY_ISSUER,\n", ""),
            ],
            [
                "still running, Orchard asks nobody (The reviews do not answer",
                "sent by another site: taken for ada",
                "of an hour ago: taken for ada",
                "of another issuer: taken for ada",
            ],
        ),
    ],
)
def test_addresses_that_are_remembered_and_callers_who_are_believed_are_told(solved, changes, expected):
    told(solved(22, *changes), *expected)


TELLS_BEHIND_THE_COMMIT = """    from monolith.outbox.destination import destination
    from monolith.outbox.relay import envelope

    event = Event(type=type, version=version, subject=subject, data=data)
    transaction.on_commit(lambda: destination()([envelope(event)]))
    return event
"""
TAKES_ONCE = """, transaction.atomic():
        _, first = Received.objects.get_or_create(event=event.event)
        if first:
            _take(event)
"""
NOTES_BEFORE = """:
        _, first = Received.objects.get_or_create(event=event.event)
        if first:
            _take(event)
"""
NOTES_BEHIND = """:
        first = not Received.objects.filter(pk=event.event).exists()
        if first:
            _take(event)
            Received.objects.create(event=event.event)
"""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [
                (OUTBOX, "    event = Event.objects", f"{TELLS_BEHIND_THE_COMMIT}    event = Event.objects"),
                (INBOX, TAKES_ONCE, NOTES_BEFORE),
            ],
            [
                "comes back: the page breaks: the topic is away, where 1 is right",
                "killed right behind the order's commit: 0 mails, where 1 is right",
                "the consumer is killed as it writes the mail: 0 mails",
            ],
        ),
        ([(INBOX, TAKES_ONCE, NOTES_BEHIND)], ["the consumer is killed as it notes the event: 2 mails"]),
    ],
)
def test_mails_that_are_lost_or_come_twice_are_told(solved, changes, expected):
    told(solved(23, *changes), *expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [
                (EVENTS, '"version": 1', '"version": 2'),
                (CONTRACT, "if kind != wanted", "if kind is None and kind != wanted"),
            ],
            ['the contract\'s test is wrong where "user_id" is of another type', "parked: version 2 of order.placed"],
        ),
        (
            [
                (NEED, '"order"', '"number"'),
                (EVENTS, ', "amount": str(order.total)', ""),
                (EVENTS, '"order": order.short', '"number": order.short'),
                (CONTRACT, 'not in promise.get("required", [])', "not in promise"),
            ],
            [
                "the notifications of last week make of an order: parked: 'order' is a required property",
                "make of last week's event: parked",
                'the accounts want "amount"',
                "a field more is promised",
            ],
        ),
    ],
)
def test_a_change_for_which_both_must_be_deployed_at_once_is_told(solved, changes, expected):
    told(solved(24, *changes), *expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [
                (REMOTE, '"traceparent": tracing.current()}', '"X-Trace": tracing.current()}'),
                (TASKS, '"traceparent": tracing.current()}', '"trace": tracing.current()}'),
                (OUTBOX, "traceparent=tracing.current()", "traceparent=tracing.current()[3:35]"),
            ],
            ["come to the reviews", "come to the worker", "come to the consumer"],
        ),
        (
            [
                (TASKS, 'get("traceparent") or tracing.current()', 'get("trace") or ""'),
                (SERVICE_TRACING, 'get("traceparent", "")', 'get("X-Trace", "")'),
            ],
            ["come to the reviews", "come to the worker"],
        ),
    ],
)
def test_a_trace_that_is_dropped_is_told_with_where_to_look(solved, changes, expected):
    told(solved(25, *changes), *expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [
                ("minimum_healthy_percent = 100", "minimum_healthy_percent = 50"),
                ("maximum_percent = 200", "maximum_percent = 100"),
                ('= "/health/ready/"', '= "/health/"'),
                ("stop_seconds = 10", "stop_seconds = 0"),
            ],
            [
                "1 copy carries the load of 2",
                "2 people are cut off in the middle",
                "are sent to copies that cannot serve yet",
                "a version that never gets ready is rolled out, and people get nothing",
            ],
        ),
        ([("maximum_percent = 200", "maximum_percent = 100")], ["no copy may be stopped, and none started"]),
    ],
)
def test_a_deployment_that_is_noticed_is_told(solved, changes, expected):
    told(solved(26, *((DEPLOYMENT, *change) for change in changes)), *expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [
                ("extracted/same.txt", "identity.py\n", "tracing.py\n"),
                (NOTIFIED.format("health"), "    if waiting:\n", "    if waiting and False:\n"),
                (NOTIFIED.format("identity"), 'require": ["exp", ', 'require": ['),
            ],
            [
                '"identity.py" is copied into each service, and nobody would notice',
                'tracing.py of "reviews" is not that of "notifications"',
                'health.py of "reviews" is not that of "notifications"',
                '"notifications" does not keep the standard: a token that never ends is not',
            ],
        ),
        (
            [
                (NOTIFIED.format("rehearsal"), "from notifications_service import", "from reviews_service import"),
                ("extracted/same.txt", "health.py\n", "healthy.py\n"),
            ],
            [
                '"notifications" imports the code of "reviews": neither is deployed alone',
                "rehearsal.py of",
                '"notifications" has no healthy.py',
            ],
        ),
    ],
)
def test_a_copy_that_is_behind_is_told(solved, changes, expected):
    told(solved(27, *changes), *expected)


def test_the_list_shows_them_apart_below_the_steps(bench, monkeypatch, capsys):
    monkeypatch.chdir(bench.home)
    assert main(["workshop", "list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    at = listed.index("labs, each by itself, in any order:")
    assert all("Lab: " not in line for line in listed[:at])
    assert all("Lab: " in line for line in listed[at + 1 :])
    assert len(listed[at + 1 :]) == 7


@pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in steps() if one.number >= FIRST_LAB])
def test_what_a_lab_takes_out_of_a_file_is_a_few_lines_of_what_is_there_now(one):
    laid = {path: place for path, place in tree_of(one.folder / "start").items() if (ROOT / path).exists()}
    for path, place in laid.items():
        lines = difflib.ndiff((ROOT / path).read_text().splitlines(), place.read_text().splitlines())
        differing = [line for line in lines if line.startswith(("+ ", "- "))]
        assert len(differing) <= 20, f"{path} has gone on without the lab"
