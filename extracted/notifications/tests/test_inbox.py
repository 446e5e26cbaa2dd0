import json
from datetime import UTC, datetime

import pytest
from conftest import an_event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notifications_service.notifications import inbox
from notifications_service.notifications.consuming import Later, Poison
from notifications_service.notifications.models import Mail, Notification, Person, Preference, Received

pytestmark = pytest.mark.django_db
EVENTS = [an_event(kind, user=user) for user in (7, 8) for kind in ("account.registered", "order.placed")]
EVENTS += [an_event("order.shipped", user=7), an_event("cart.filled", user=8)]


def handle(**changes):
    inbox.handle(json.dumps(an_event(**changes)))


def state():
    """All that events have made, without the numbers of rows."""
    return (
        sorted(Notification.objects.values_list("user_id", "subject", "body", "read", "created_at")),
        sorted(Mail.objects.values_list("user_id", "recipient", "subject", "body", "state", "attempts")),
        set(Received.objects.values_list("event", flat=True)),
    )


def test_an_event_becomes_a_notification_and_a_mail(people):
    handle()
    told = Notification.objects.get()
    assert (told.user_id, told.subject, told.read) == (7, "Your order A17", False)
    assert told.created_at == datetime(2026, 11, 26, 10, tzinfo=UTC)
    mail = Mail.objects.get()
    assert (mail.recipient, mail.body) == ("person7@example.org", "We have received 12.00 € for your order.")
    assert (mail.state, mail.attempts, mail.user_id) == ("queued", 0, 7)


def test_who_wants_no_mails_or_has_no_address_is_told_on_the_site_alone(people):
    Preference.objects.create(user_id=7, mail=False)
    Person.objects.filter(pk=8).update(email="")
    handle(user=7)
    handle(user=8)
    assert (Notification.objects.count(), Mail.objects.count()) == (2, 0)


def test_a_person_who_is_not_known_yet_is_waited_for_and_nothing_is_noted(people):
    event = json.dumps(an_event(user=99))
    with pytest.raises(Later, match="user 99, who is not known here"):
        inbox.handle(event)
    assert not Received.objects.exists()
    Person.objects.create(id=99, username="new", email="new@example.org")
    inbox.handle(event)
    assert Mail.objects.get().recipient == "new@example.org"


def test_a_person_who_is_gone_is_forgotten_unsent_mails_too_whether_the_copy_knows_it_or_not(people):
    for user in (7, 8):
        handle(user=user)
        Preference.objects.create(user_id=user, mail=True)
    gone = an_event("account.deleted", user=7)
    Person.objects.filter(pk=7).delete()
    for _ in range(3):
        inbox.handle(json.dumps(gone))
    for model in (Notification, Mail, Preference):
        assert set(model.objects.values_list("user_id", flat=True)) == {8}
    handle(kind="account.deleted", user=8)
    assert not Mail.objects.exists()


def test_an_unknown_type_is_skipped_whatever_its_version_and_data(people):
    handle(kind="cart.filled", version=9, data={})
    assert state() == ([], [], set())


@pytest.mark.parametrize("changes", [{"version": 2}, {"data": {}}, {"at": "never"}])
def test_what_is_not_understood_is_poison(people, changes):
    with pytest.raises(Poison):
        handle(**changes)
    assert state() == ([], [], set())


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(EVENTS * 3))
def test_every_event_three_times_and_in_any_order_changes_nothing(people, order):
    def after(events):
        for model in (Notification, Mail, Received):
            model.objects.all().delete()
        for event in events:
            inbox.handle(json.dumps(event))
        return state()

    once = after(EVENTS)
    assert [len(part) for part in once] == [5, 5, 5]
    assert after(order) == once
