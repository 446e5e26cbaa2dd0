"""Events become notifications and mails, each once."""

from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monolith.notifications.consuming import consume
from monolith.notifications.errors import NotHere
from monolith.notifications.events import UnknownVersion
from monolith.notifications.models import Mail, Notification, Preference, Received
from tests.unit.monolith.told import placed, shipped, told


def elsewhere(service):
    return service == "notifications"


def all_that_is_kept():
    return (
        sorted(Notification.objects.values_list("user_id", "subject", "body", "read", "created_at")),
        sorted(Mail.objects.values_list("user_id", "recipient", "subject", "body", "state", "attempts")),
        sorted(Received.objects.values_list("event", flat=True)),
    )


THREE_TIMES_OF_FOUR = [index for index in range(4) for _ in range(3)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(THREE_TIMES_OF_FOUR))
def test_every_event_three_times_and_in_any_order_is_as_good_as_once(ada, ben, order):
    events = [
        told("account.registered", ben),
        placed(ada, event="00000000-0000-4000-8000-000000000001"),
        shipped(ada),
        placed(ben, order="77777777"),
    ]
    with transaction.atomic():
        for event in events:
            consume(event)
        once = all_that_is_kept()
        transaction.set_rollback(True)
    with transaction.atomic():
        for index in order:
            consume(events[index])
        assert all_that_is_kept() == once
        transaction.set_rollback(True)
    assert [len(rows) for rows in once] == [4, 4, 4]


def test_person_reads_what_has_happened(ada):
    consume(placed(ada))
    consume(shipped(ada))
    texts = Mail.objects.order_by("pk").values_list("recipient", "subject", "body")
    assert list(texts) == [
        ("ada@orchard.example", "Your order 0B7E5A34", "We have received € 37.50 for your order."),
        ("ada@orchard.example", "Order 0B7E5A34 is on its way", "It left our warehouse."),
    ]
    assert set(ada.notifications.values_list("subject", "body")) == {text[1:] for text in texts}


def test_person_who_wants_no_mail_gets_a_notification_alone(ada):
    Preference.objects.create(user_id=ada.pk, mail=False)
    consume(placed(ada))
    assert not Mail.objects.exists()
    assert ada.notifications.count() == 1


def test_person_who_is_gone_is_not_told_and_not_waited_for(ada):
    event = placed(ada)
    ada.delete()
    consume(event)
    assert Received.objects.count() == 1
    assert not Notification.objects.exists()


def test_person_whose_account_is_deleted_is_forgotten_unsent_mails_too(ada, ben):
    for person in (ada, ben):
        consume(placed(person))
        Preference.objects.create(user_id=person.pk, mail=True)
    gone = told("account.deleted", ada)
    for _ in range(3):
        consume(gone)
    for model in (Notification, Mail, Preference):
        assert set(model.objects.values_list("user_id", flat=True)) == {ben.pk}
    assert Received.objects.filter(event=gone["event"]).count() == 1


def test_fields_that_nobody_knows_yet_are_no_matter(ada):
    consume(placed(ada, gift=True) | {"region": "north"})
    assert ada.notifications.count() == 1


def test_event_of_an_unknown_type_is_none_of_ours(ada):
    consume(told("product.renamed", ada, version=7))
    assert not Received.objects.exists()


def test_later_version_of_a_known_type_is_refused_and_leaves_nothing(ada):
    with pytest.raises(UnknownVersion, match=r'version 2 of "order\.placed" is not known, only up to 1'):
        consume(placed(ada, version=2))
    assert not Received.objects.exists()


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ([], "this is no event"),
        ({"type": "order.placed"}, "lacks 'version'"),
        ({"type": "order.placed", "version": "new"}, "invalid literal"),
    ],
)
def test_what_is_no_event_is_said_to_be_none(broken, why):
    with pytest.raises(ValueError, match=why):
        consume(broken)


def test_event_without_what_its_version_promises_leaves_nothing(ada):
    event = placed(ada)
    del event["data"]["total"]
    with pytest.raises(ValueError, match="lacks 'total'"):
        consume(event)
    assert not Received.objects.exists()
    event["data"]["total"] = "€ 1"
    consume(event)
    assert Mail.objects.count() == 1


def test_event_is_left_to_whoever_has_the_notifications(ada, settings):
    settings.NOTIFICATIONS_MOVED = f"{__name__}.elsewhere"
    with pytest.raises(NotHere):
        consume(placed(ada, event=uuid4()))
    assert not Received.objects.exists()
