import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import Sent
from notifications_service.notifications import feedback
from notifications_service.notifications.models import Mail, Suppression

pytestmark = pytest.mark.django_db


def a_mail(state="sending", attempts=1):
    return Mail.objects.create(recipient="A@example.org", subject="S", body="B", state=state, attempts=attempts)


def sent(mail, **changes):
    tags = {"mail": str(mail.pk), "attempt": "1"} | changes.pop("tags", {})
    return Sent(
        **{"message_id": "m1", "recipient": "A@example.org", "subject": "S", "body": "B", "tags": tags} | changes
    )


def bounce(mail, kind="Permanent"):
    return sent(mail).event("Bounce", bounceType=kind, bouncedRecipients=[{"emailAddress": "A@example.org"}])


def complaint(mail):
    return sent(mail).event("Complaint", complainedRecipients=[{"emailAddress": "A@example.org"}])


@pytest.mark.parametrize("state", ["sending", "queued", "failed", "suppressed"])
def test_what_ses_has_sent_is_sent_whatever_the_sender_knew(state):
    mail = a_mail(state)
    feedback.handle(sent(mail).event())
    mail.refresh_from_db()
    assert (mail.state, mail.message_id, mail.error) == ("sent", "m1", "")
    assert mail.sent_at.isoformat() == "2026-11-26T10:00:00+00:00"


def test_a_second_word_on_a_mail_changes_nothing():
    mail = a_mail()
    feedback.handle(sent(mail).event())
    feedback.handle(sent(mail, message_id="m2").event())
    assert Mail.objects.get().message_id == "m1"


@pytest.mark.parametrize(
    "changes", [{"tags": {"attempt": "2"}}, {"recipient": "b@example.org"}, {"tags": {"mail": "0"}}]
)
def test_what_is_told_of_another_databases_mail_settles_none_of_ours(changes):
    mail = a_mail()
    feedback.handle(sent(mail, **changes).event())
    mail.refresh_from_db()
    assert mail.state == "sending"


def test_hard_bounces_and_complaints_suppress_an_address_and_soft_bounces_do_not():
    mail = a_mail()
    feedback.handle(bounce(mail, "Transient"))
    assert not Suppression.objects.exists()
    feedback.handle(bounce(mail))
    feedback.handle(complaint(mail))
    assert [(one.address, one.reason) for one in Suppression.objects.all()] == [("a@example.org", "bounce")]


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"eventType": "Send", "mail": {}}', json.dumps({"eventType": "Send", "mail": {"tags": []}})],
)
def test_what_is_not_understood_is_told_in_the_log_and_done_with(body, caplog):
    feedback.handle(body)
    assert "not understood" in caplog.text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(list(range(9))))
def test_everything_three_times_and_in_any_order_ends_alike(db, order):
    Mail.objects.all().delete()
    Suppression.objects.all().delete()
    mail = a_mail()
    told = [sent(mail).event(), bounce(mail), bounce(mail, "Transient")] * 3
    for number in order:
        feedback.handle(told[number])
    assert (Mail.objects.get().state, Suppression.objects.get().reason) == ("sent", "bounce")
