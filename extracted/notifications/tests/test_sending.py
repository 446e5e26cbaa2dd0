import threading
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from conftest import fenced
from django.db import DatabaseError, connection
from django.utils import timezone
from notifications_service.notifications import feedback, sending, tasks
from notifications_service.notifications.models import Mail, Suppression

pytestmark = pytest.mark.django_db(transaction=True)


def a_mail(**fields):
    return Mail.objects.create(user_id=7, recipient="a@example.org", subject="S", body="B", **fields)


def send_all():
    while sending.send_next():
        pass


def later(mail, **fields):
    """The mail as it is in the database; as if time had gone by where fields are given."""
    Mail.objects.filter(pk=mail.pk).update(**fields) if fields else None
    return Mail.objects.get(pk=mail.pk)


def long_ago(**much):
    return timezone.now() - timedelta(**much)


def test_a_mail_is_sent_once_with_its_tags(aws):
    mail = a_mail()
    send_all()
    send_all()
    (sent,) = aws.journal
    assert (sent.recipient, sent.subject, sent.body) == ("a@example.org", "S", "B")
    assert sent.tags == {"mail": str(mail.pk), "attempt": "1"}
    now = later(mail)
    assert (now.state, now.message_id, now.error, now.attempts) == ("sent", sent.message_id, "", 1)
    assert now.sent_at is not None


def test_an_address_that_takes_no_mails_gets_none(aws):
    Suppression.objects.create(address="a@example.org", reason="bounce")
    mail = a_mail()
    Mail.objects.filter(pk=mail.pk).update(recipient="A@example.org")
    send_all()
    assert (later(mail).state, aws.journal) == ("suppressed", [])


@pytest.mark.parametrize("fault", [(503, "ServiceUnavailable"), (429, "TooManyRequestsException")])
def test_what_ses_has_not_taken_is_sent_later(aws, fault):
    aws.loopback.fault = fault
    mail = a_mail()
    assert sending.send_next()
    found = later(mail)
    assert (found.state, found.attempts) == ("queued", 1)
    assert fault[1] in found.error
    aws.loopback.fault = None
    later(mail, next_try_at=long_ago(seconds=1))
    send_all()
    assert (later(mail).state, len(aws.journal), aws.journal[0].tags["attempt"]) == ("sent", 1, "2")


def test_a_ses_that_is_not_there_has_sent_nothing(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    sending.ses._client.cache_clear()
    mail = a_mail()
    assert sending.send_next()
    assert later(mail).state == "queued"


def test_what_ses_will_never_take_is_given_up_with_its_words(aws):
    aws.loopback.fault = (400, "BadRequestException")
    mail = a_mail()
    send_all()
    assert (later(mail).state, "told to fail" in later(mail).error) == ("failed", True)


def test_after_two_days_a_mail_is_given_up(aws):
    aws.loopback.fault = (503, "ServiceUnavailable")
    mail = a_mail(created_at=long_ago(days=2, seconds=1))
    send_all()
    assert later(mail).state == "failed"


@pytest.mark.parametrize("fault", ["lost", (500, "InternalFailure")])
def test_a_mail_whose_answer_is_lost_is_left_to_what_ses_tells(aws, fault):
    aws.loopback.fault = fault
    mail = a_mail()
    send_all()
    sending.queue_what_stayed_unknown(hear=lambda: True)
    send_all()
    assert (later(mail).state, later(mail).attempts) == ("sending", 1)


def test_what_ses_says_it_has_sent_is_not_sent_again(aws):
    aws.loopback.fault = "lost"
    mail = a_mail()
    send_all()
    aws.loopback.fault = None
    (sent,) = aws.journal
    feedback.handle(sent.event())
    later(mail, claimed_at=long_ago(days=1))
    sending.queue_what_stayed_unknown(hear=lambda: True)
    send_all()
    assert (later(mail).state, later(mail).message_id, len(aws.journal)) == ("sent", sent.message_id, 1)


def test_a_mail_of_which_nothing_is_heard_is_sent_again_after_a_while_that_doubles(aws, settings):
    claimed = {"state": "sending", "claimed_at": long_ago(seconds=settings.UNKNOWN_FOR + 1)}
    first, second = a_mail(attempts=1, **claimed), a_mail(attempts=2, **claimed)
    sending.queue_what_stayed_unknown(hear=lambda: True)
    assert (later(first).state, later(second).state) == ("queued", "sending")
    assert later(first).error == "nothing was heard of attempt 1"
    later(second, claimed_at=long_ago(seconds=2 * settings.UNKNOWN_FOR + 1))
    sending.queue_what_stayed_unknown(hear=lambda: True)
    send_all()
    assert sorted((sent.tags["mail"], sent.tags["attempt"]) for sent in aws.journal) == sorted(
        [(str(first.pk), "2"), (str(second.pk), "3")]
    )


def test_what_ses_has_told_and_nobody_read_is_read_before_a_mail_is_sent_again(aws):
    aws.loopback.fault, aws.loopback.feedback = "lost", aws.feedback.url
    mail, other = a_mail(), a_mail()
    sending.send_next(mail_id=mail.pk)
    aws.loopback.fault, aws.loopback.feedback = None, ""
    Mail.objects.update(state="sending", attempts=1, claimed_at=long_ago(hours=1))
    tasks.sweep()
    assert (later(mail).state, later(mail).attempts) == ("sent", 1)
    assert sorted((int(sent.tags["mail"]), sent.tags["attempt"]) for sent in aws.journal) == [
        (mail.pk, "1"),
        (other.pk, "2"),
    ]


def test_nothing_is_sent_again_while_it_cannot_be_heard_what_ses_has_told(aws):
    mail = a_mail(state="sending", attempts=1, claimed_at=long_ago(hours=1))
    aws.sqs.delete_queue(QueueUrl=aws.feedback.url)
    with pytest.raises(ClientError, match="NonExistentQueue"):
        tasks.sweep()
    sending.queue_what_stayed_unknown(hear=lambda: False)
    assert (later(mail).state, aws.journal) == ("sending", [])


def test_a_fence_before_the_claim_lets_nothing_out(aws):
    a_mail()
    with fenced("notifications_mail"):
        with pytest.raises(DatabaseError):
            sending.send_next()
        tasks.send(1)
        tasks.sweep()
    assert aws.journal == []


def test_a_fence_between_claim_and_call_lets_nothing_out(aws):
    a_mail()
    mail = sending._claim(None)
    with fenced("notifications_mail"), pytest.raises(DatabaseError):
        sending._give(mail)
    assert aws.journal == []


def test_who_was_away_so_long_that_another_has_the_mail_sends_nothing(aws):
    mail = a_mail()
    slow = sending._claim(None)
    later(mail, claimed_at=long_ago(hours=1))
    sending.queue_what_stayed_unknown(hear=lambda: True)
    send_all()
    assert sending._give(slow) == {"state": "settled"}
    assert len(aws.journal) == 1


def test_who_was_away_so_long_that_another_is_at_the_mail_sends_nothing(aws):
    mail = a_mail()
    slow = sending._claim(None)
    later(mail, claimed_at=long_ago(hours=1))
    sending.queue_what_stayed_unknown(hear=lambda: True)
    other = sending._claim(None)
    assert (sending._give(slow), aws.journal) == ({"state": "settled"}, [])
    assert sending._give(other)["state"] == "sent"


def test_many_senders_at_once_send_each_mail_once(aws):
    for _ in range(12):
        a_mail()

    def work():
        send_all()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({sent.tags["mail"] for sent in aws.journal}) == len(aws.journal) == 12
    assert set(Mail.objects.values_list("state", flat=True)) == {"sent"}


def test_the_sweep_finds_what_was_never_enqueued_in_turn(aws):
    mails = [a_mail(next_try_at=long_ago(minutes=minutes)) for minutes in (1, 3, 2)]
    a_mail(next_try_at=timezone.now() + timedelta(hours=1))
    tasks.sweep()
    assert [int(sent.tags["mail"]) for sent in aws.journal] == [mails[1].pk, mails[2].pk, mails[0].pk]


def test_ses_down_for_a_while_loses_nothing(aws):
    aws.loopback.fault = (503, "ServiceUnavailable")
    mails = [a_mail() for _ in range(3)]
    for _ in range(12):
        Mail.objects.update(next_try_at=long_ago(seconds=1))
        tasks.sweep()
    assert (aws.journal, set(Mail.objects.values_list("state", flat=True))) == ([], {"queued"})
    aws.loopback.fault = None
    Mail.objects.update(next_try_at=long_ago(seconds=1))
    tasks.sweep()
    assert sorted(int(sent.tags["mail"]) for sent in aws.journal) == [mail.pk for mail in mails]
