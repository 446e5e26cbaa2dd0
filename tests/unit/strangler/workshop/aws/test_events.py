"""What becomes of mails, and what SES tells of it."""

import pytest

from strangler.workshop.aws.events import events, outcomes
from strangler.workshop.aws.mailbox import Mail, Mailbox, Outcome


def became(*recipients, suppressed=()):
    return [(outcome.kind, outcome.why) for outcome in outcomes(recipients, suppressed)]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("anna@example.com", [("Delivery", "")]),
        ("bounce@simulator.amazonses.com", [("Bounce", "General")]),
        ("Bounce+17@Simulator.AmazonSES.com", [("Bounce", "General")]),
        ("suppressionlist@simulator.amazonses.com", [("Bounce", "Suppressed")]),
        ("complaint@simulator.amazonses.com", [("Delivery", ""), ("Complaint", "")]),
        ("success@simulator.amazonses.com", [("Delivery", "")]),
        ("bounce@example.com", [("Delivery", "")]),
    ],
)
def test_an_address_decides_what_becomes_of_a_mail(address, expected):
    assert became(address) == expected


def test_a_suppressed_address_gets_nothing_however_it_is_written():
    assert became("Anna@Example.com", suppressed={"anna@example.com"}) == [("Bounce", "OnAccountSuppressionList")]


def test_each_address_has_an_outcome_of_its_own():
    assert became("anna@example.com", "bounce@simulator.amazonses.com") == [("Delivery", ""), ("Bounce", "General")]


def taken(*recipients):
    mail = Mail(sender="shop@x.example", recipients=recipients, subject="Hello", text="", html="", tags={"mail": "17"})
    return Mailbox().take(mail, "id-1", outcomes(recipients, ()))


def test_every_event_has_the_mails_own_id_and_tags():
    told = events(taken("complaint@simulator.amazonses.com"), "orchard")
    assert [event["eventType"] for event in told] == ["Send", "Delivery", "Complaint"]
    for event in told:
        assert event["mail"]["messageId"] == "id-1"
        assert event["mail"]["tags"] == {"mail": ["17"], "ses:configuration-set": ["orchard"]}


def test_a_bounce_names_the_address_and_is_permanent():
    [_, bounce] = events(taken("bounce@simulator.amazonses.com"), "orchard")
    assert bounce["bounce"]["bounceType"] == "Permanent"
    assert bounce["bounce"]["bouncedRecipients"][0]["emailAddress"] == "bounce@simulator.amazonses.com"


def test_a_mail_to_several_has_an_event_for_each_with_an_id_of_its_own():
    told = events(taken("bounce+1@simulator.amazonses.com", "bounce+2@simulator.amazonses.com"), "orchard")
    assert len({event["bounce"]["feedbackId"] for event in told[1:]}) == 2


def test_outcomes_print_as_words():
    assert str(Outcome(kind="Bounce", address="a@b", why="General")) == "bounced (General)"
    assert str(Outcome(kind="Complaint", address="a@b")) == "complained of"
