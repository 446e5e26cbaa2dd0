import io
import json

import pytest
from conftest import an_event
from django.core.management import CommandError, call_command
from notifications_service.notifications import inbox
from notifications_service.notifications.consuming import take
from notifications_service.notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)


def deadletters(*arguments):
    out = io.StringIO()
    call_command("deadletters", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def parked(aws, people):
    """An event of a version that is not understood, and what is no event at all."""
    event = an_event(version=2)
    aws.publish(event)
    aws.publish("{", group="user:8")
    assert take(aws.queue, inbox.handle) == 2
    return event


def test_each_is_listed_with_its_reason_and_is_still_there(aws, parked):
    for _ in range(2):
        first, second, last = deadletters("list").splitlines()
        assert first.startswith(parked["event"])
        assert first.endswith("order.placed v2 of user:7  version 2 of order.placed is not understood here, only 1")
        assert "no event v? of user:8" in second
        assert last == "2 in the dead-letter queue"


def test_one_is_shown_as_it_is(aws, parked):
    assert json.loads(deadletters("show", parked["event"])) == parked
    with pytest.raises(CommandError, match='no message of "other"'):
        deadletters("show", "other")


def test_those_that_are_named_go_back_and_are_taken_once_they_are_understood(aws, parked, monkeypatch):
    assert deadletters("redrive", parked["event"]) == "1 put back\n"
    assert (sum(aws.counts(aws.queue)), sum(aws.counts(aws.dead))) == (1, 1)
    monkeypatch.setattr(inbox.needs, "check", lambda event: None)  # as the next release does
    assert take(aws.queue, inbox.handle) == 1
    assert Mail.objects.get().subject == "Your order A17"


def test_all_go_back_once_and_come_again_where_nobody_understands_them_still(aws, parked):
    for _ in range(3):
        assert deadletters("redrive") == "2 put back\n"
        assert take(aws.queue, inbox.handle) == 2
    assert sum(aws.counts(aws.dead)) == 2
    assert not Mail.objects.exists()


def test_without_a_queue_it_says_what_is_missing(settings):
    settings.DEAD_QUEUE = ""
    with pytest.raises(CommandError, match="NOTIFICATIONS_DEAD_QUEUE is not set"):
        deadletters("list")
