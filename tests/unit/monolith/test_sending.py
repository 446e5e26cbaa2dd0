"""The mail queue: what becomes of a mail, whatever becomes of those who send it."""

from datetime import timedelta

import pytest
from botocore import exceptions
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from monolith.notifications.models import Mail, Suppression
from monolith.notifications.outcomes import NotSent, Rejected, Unknown
from monolith.notifications.sending import MOST_ATTEMPTS, UNKNOWN_FOR, claim, hand_over, send_queued
from monolith.notifications.ses import Ses

State = Mail.State


class Post:
    """A transport that keeps what it took, and answers what it is told to."""

    def __init__(self, *answers):
        self.taken = []
        self._answers = list(answers)

    def send(self, mail):
        self.taken.append((mail.pk, mail.attempts))
        answer = self._answers.pop(0) if self._answers else "id"
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def mail(db):
    return Mail.objects.create(user_id=1, recipient="ada@orchard.example", subject="Your order", body="It is here.")


def elsewhere(service):
    return service == "notifications"


def test_mail_waits_in_the_queue_until_it_is_sent_once(mail, mailoutbox):
    call_command("send_queued_mail", verbosity=0)
    call_command("send_queued_mail", verbosity=0)
    assert [(sent.subject, sent.to) for sent in mailoutbox] == [("Your order", ["ada@orchard.example"])]
    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.error) == (State.SENT, 1, "")


def test_mail_that_was_not_sent_is_tried_again_later(mail, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert send_queued() == 0
    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.sent_at) == (State.QUEUED, 1, None)
    assert mail.error


def test_pauses_grow_and_end_in_giving_up(mail):
    longest = []
    for _ in range(MOST_ATTEMPTS + 1):
        before = timezone.now()
        send_queued(by=Post(NotSent("away")))
        mail.refresh_from_db()
        longest.append((mail.next_try_at - before).total_seconds())
        Mail.objects.update(next_try_at=before)
    assert (mail.state, mail.attempts) == (State.FAILED, MOST_ATTEMPTS)
    assert all(pause <= min(2 * 2**attempt, 3600) + 1 for attempt, pause in enumerate(longest))
    assert max(longest) > 60


def test_mail_that_is_refused_for_good_is_not_sent_again(mail):
    post = Post(Rejected("no such domain"))
    assert send_queued(by=post) == send_queued(by=post) == 0
    mail.refresh_from_db()
    assert (mail.state, mail.error, len(post.taken)) == (State.FAILED, "no such domain", 1)


def test_mail_to_a_suppressed_address_is_not_sent(mail):
    Suppression.objects.create(address="ada@orchard.example", reason="complaint")
    Mail.objects.update(recipient="Ada@Orchard.example")
    post = Post()
    assert send_queued(by=post) == 0
    mail.refresh_from_db()
    assert (mail.state, post.taken) == (State.SUPPRESSED, [])


def test_mail_whose_answer_is_lost_is_sent_again_only_after_the_time_in_which_it_could_be_settled(mail):
    post = Post(Unknown("no answer"))
    send_queued(by=post)
    send_queued(by=post)
    mail.refresh_from_db()
    assert (mail.state, post.taken) == (State.SENDING, [(mail.pk, 1)])
    Mail.objects.update(claimed_at=timezone.now() - UNKNOWN_FOR - timedelta(seconds=1))
    assert send_queued(by=post) == 1
    assert post.taken == [(mail.pk, 1), (mail.pk, 2)]


def test_two_senders_do_not_take_the_same_mail(mail):
    first = claim(Mail.objects.all())
    post = Post()
    assert send_queued(by=post) == 0
    assert hand_over(first, post)
    assert post.taken == [(mail.pk, 1)]


def test_mail_that_was_settled_since_it_was_claimed_is_not_sent(mail):
    claimed = claim(Mail.objects.all())
    Mail.objects.update(state=State.SENT)
    post = Post()
    assert not hand_over(claimed, post)
    assert post.taken == []


_FENCE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'move "0002_notifications" is owned elsewhere (term 3)' USING ERRCODE = 'SF001';
    END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON notifications_mail FOR EACH STATEMENT EXECUTE FUNCTION refuse();
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("claimed_before", [False, True])
def test_nothing_is_sent_once_the_fence_stands_also_where_the_mail_was_claimed_before(mail, claimed_before):
    claimed, post = claim(Mail.objects.all()) if claimed_before else None, Post()
    with connection.cursor() as cursor:
        cursor.execute(_FENCE)
    try:
        with pytest.raises(DatabaseError, match="owned elsewhere"):
            hand_over(claimed, post) if claimed_before else send_queued(by=post)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse() CASCADE")
    assert post.taken == []


def test_mails_are_left_to_whoever_has_them(mail, settings):
    settings.NOTIFICATIONS_MOVED = f"{__name__}.elsewhere"
    post = Post()
    assert send_queued(by=post) == 0
    assert post.taken == []


class Client:
    """SES's client, which fails as it is told to."""

    def __init__(self, error):
        self._error = error

    def send_email(self, **_):
        raise self._error


def answered(status, code):
    return exceptions.ClientError(
        {"Error": {"Code": code, "Message": "."}, "ResponseMetadata": {"HTTPStatusCode": status}}, "SendEmail"
    )


@pytest.mark.parametrize(
    ("error", "came"),
    [
        (answered(400, "MessageRejected"), Rejected),
        (answered(400, "SendingPausedException"), NotSent),
        (answered(429, "TooManyRequestsException"), NotSent),
        (answered(503, "ServiceUnavailable"), NotSent),
        (answered(500, "InternalServiceErrorException"), Unknown),
        (exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), NotSent),
        (exceptions.ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), Unknown),
        (exceptions.ConnectionClosedError(endpoint_url="http://127.0.0.1:1"), Unknown),
    ],
)
def test_what_ses_fails_with_says_whether_it_may_have_sent(mail, error, came):
    with pytest.raises(came):
        Ses(Client(error), sender="shop@orchard.example", configuration_set="orchard").send(mail)
