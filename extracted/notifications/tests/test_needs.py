"""The contract with the shop: what it promises of each event is at least what this service needs."""

import json
from pathlib import Path

import pytest
from conftest import an_event
from contract import missing
from jsonschema import Draft202012Validator
from notifications_service.notifications import needs
from notifications_service.notifications.events import parse
from notifications_service.notifications.inbox import GONE
from notifications_service.notifications.rendering import FOLDER as MAILS

PROMISES = Path(__file__).parents[3] / "docs" / "events"
NEEDS = sorted(needs.FOLDER.glob("*.json"))


def promised(name):
    if not PROMISES.exists():
        pytest.skip(f"{PROMISES} is not there: the service stands alone")
    return json.loads((PROMISES / name).read_text())


def test_the_shop_promises_the_envelope_that_is_read():
    kinds = {"event": "string", "type": "string", "version": "integer", "at": "string", "data": "object"}
    need = {"required": [*kinds], "properties": {name: {"type": kind} for name, kind in kinds.items()}}
    assert missing(promised("envelope.json"), need) == []
    for name in kinds:
        event = an_event()
        del event[name]
        with pytest.raises(ValueError, match=f'"{name}"'):
            parse(json.dumps(event))


@pytest.mark.parametrize("path", NEEDS, ids=lambda path: path.stem)
def test_the_shop_promises_what_is_needed(path):
    promise = promised(path.name)
    need = json.loads(path.read_text())
    assert missing(promise, need) == []
    assert [spoilt for spoilt in spoilt_ones(promise, need) if not missing(spoilt, need)] == []


def spoilt_ones(promise, need):
    """The promise with one thing broken that is needed, each in turn."""
    for name in need["required"]:
        yield {**promise, "required": [other for other in promise["required"] if other != name]}
        yield {**promise, "properties": {**promise["properties"], name: {"type": "null"}}}


@pytest.mark.parametrize("path", NEEDS, ids=lambda path: path.stem)
def test_a_need_is_a_schema_and_has_a_text_unless_nobody_is_left_to_read_it(path):
    Draft202012Validator.check_schema(json.loads(path.read_text()))
    kind = path.stem.rpartition(".")[0]
    assert (MAILS / f"{kind}.txt").exists() is (kind != GONE)


def checked(**changes):
    needs.check(parse(json.dumps(an_event(**changes))))


def test_more_than_is_needed_does_no_harm():
    checked(data={"user_id": 7, "order": "A", "total": "1", "gift": {"wrapped": True}})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": {"user_id": 7, "order": "A"}}, "'total' is a required property"),
        ({"data": {"user_id": "7", "order": "A", "total": "1"}}, r"\$.user_id: '7' is not of type 'integer'"),
        ({"version": 2}, "version 2 of order.placed is not understood here, only 1"),
        ({"version": 0}, "version 0"),
    ],
)
def test_less_or_another_version_is_refused_with_a_reason(changes, said):
    with pytest.raises(ValueError, match=said):
        checked(**changes)
