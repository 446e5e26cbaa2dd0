"""What SES tells of mails, in any order, more than once, and about mails of others."""

import pytest

from monolith.notifications.errors import NotHere
from monolith.notifications.feedback import MOST_SOFT_BOUNCES, take_feedback
from monolith.notifications.models import Mail, Suppression
from monolith.notifications.sending import claim, send_queued
from tests.unit.monolith.test_sending import Post

State = Mail.State


@pytest.fixture
def mail(db):
    return a_mail()


def a_mail():
    return Mail.objects.create(recipient="ada@orchard.example", subject="Your order", body="It is here.")


def elsewhere(service):
    return service == "notifications"


def about(mail, kind, **more):
    tags = {"mail": [str(mail.pk)], "attempt": ["1"], "ses:configuration-set": ["orchard"]} if mail else {}
    return {"eventType": kind, "mail": {"messageId": "ses-1", "tags": tags}, **more}


def bounce(mail, kind="Permanent", address="Ada@Orchard.example"):
    return about(mail, "Bounce", bounce={"bounceType": kind, "bouncedRecipients": [{"emailAddress": address}]})


def test_mail_whose_sender_died_is_settled_by_what_ses_tells(mail):
    claim(Mail.objects.all())
    take_feedback(about(mail, "Send", send={}))
    take_feedback(about(mail, "Send", send={}))
    mail.refresh_from_db()
    assert (mail.state, mail.message_id) == (State.SENT, "ses-1")
    assert send_queued(by=Post()) == 0


def test_answer_that_came_first_is_not_changed_by_what_comes_later(mail):
    send_queued(by=Post("ses-1"))
    before = Mail.objects.values().get()
    take_feedback(about(mail, "Send", send={}))
    take_feedback(about(mail, "Delivery", delivery={"recipients": ["ada@orchard.example"]}))
    assert Mail.objects.values().get() == before


def test_mail_that_nobody_has_tried_is_not_taken_for_sent(mail):
    take_feedback(about(mail, "Send", send={}))
    mail.refresh_from_db()
    assert mail.state == State.QUEUED


def test_address_that_does_not_exist_gets_nothing_more(mail):
    send_queued(by=Post())
    take_feedback(bounce(mail))
    take_feedback(bounce(mail))
    assert list(Suppression.objects.values_list("address", "reason")) == [("ada@orchard.example", "bounce")]
    second, post = a_mail(), Post()
    send_queued(by=post)
    second.refresh_from_db()
    assert (second.state, post.taken) == (State.SUPPRESSED, [])


def test_person_who_complains_gets_nothing_more_also_where_the_mail_is_not_ours(db):
    who = [{"emailAddress": "ada@orchard.example"}]
    take_feedback(about(None, "Complaint", complaint={"complainedRecipients": who}))
    assert Suppression.objects.get().reason == "complaint"


def test_bounces_that_may_pass_are_counted_by_mails_before_they_count(db):
    mails = [a_mail() for _ in range(MOST_SOFT_BOUNCES)]
    for mail in mails[:-1]:
        for _ in range(3):
            take_feedback(bounce(mail, "Transient"))
    assert not Suppression.objects.exists()
    take_feedback(bounce(mails[-1], "Transient"))
    assert Suppression.objects.get().reason == "soft bounce"


@pytest.mark.parametrize("broken", [[], {}, {"eventType": "Send"}, {"eventType": "Bounce", "mail": {"tags": 7}}])
def test_what_ses_never_says_is_refused(db, broken):
    with pytest.raises(ValueError, match="not what SES tells"):
        take_feedback(broken)


def test_what_became_of_a_mail_is_left_to_whoever_has_it(mail, settings):
    settings.NOTIFICATIONS_MOVED = f"{__name__}.elsewhere"
    with pytest.raises(NotHere):
        take_feedback(about(mail, "Send", send={}))
