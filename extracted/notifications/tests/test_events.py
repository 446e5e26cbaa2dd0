import json

import pytest
from conftest import an_event
from notifications_service.notifications.events import parse
from notifications_service.notifications.rendering import render


def test_an_event_is_read_and_what_is_not_known_of_it_is_left_out():
    event = parse(json.dumps(an_event(planet="Earth")))
    assert (event.type, event.version, event.data["order"]) == ("order.placed", 1, "A17")
    assert event.at.isoformat() == "2026-11-26T10:00:00+00:00"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"event": "17"}, "badly formed"),
        ({"type": None}, '"type" is no str: None'),
        ({"version": True}, '"version" is no int: True'),
        ({"version": "1"}, '"version" is no int'),
        ({"at": "yesterday"}, "yesterday"),
        ({"at": "2026-11-26T10:00:00"}, "no time zone"),
        ({"data": []}, '"data" is no dict'),
    ],
)
def test_what_is_no_event_is_told_in_a_sentence(changes, said):
    with pytest.raises(ValueError, match=said):
        parse(json.dumps(an_event(**changes)))


@pytest.mark.parametrize("body", ["", "{", "[]", "7", "null"])
def test_what_is_no_json_object_is_no_event(body):
    with pytest.raises(ValueError, match=r"JSON|Expecting"):
        parse(body)


@pytest.mark.parametrize(
    ("kind", "subject", "body"),
    [
        ("account.registered", "Welcome to Orchard", "Good to have you, Ann & Bo."),
        ("order.placed", "Your order A17", "We have received 12.00 € for your order."),
        ("order.shipped", "Order A17 is on its way", "It left our warehouse."),
    ],
)
def test_each_type_has_its_text(kind, subject, body):
    text = render(parse(json.dumps(an_event(kind))), name="Ann & Bo")
    assert (text.subject, text.body) == (subject, body)


def test_a_subject_is_one_line_whatever_the_values_are():
    data = {"user_id": 7, "order": "A17\n\nBcc: all@example.org" + "x" * 300, "total": "1"}
    text = render(parse(json.dumps(an_event(data=data))), name="Ann")
    assert text.subject.startswith("Your order A17 Bcc: all@example.orgx")
    assert len(text.subject) == 200
    assert text.body == "We have received 1 for your order."
