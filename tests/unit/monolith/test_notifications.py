from django.core.management import call_command
from django.utils import timezone

from monolith.notifications.models import Mail
from monolith.notifications.services import notify, send_queued


def test_mail_waits_in_the_queue_until_it_is_sent_once(ada, mailoutbox):
    notify(user=ada, subject="Your order", body="It is on its way.")
    assert mailoutbox == []
    call_command("send_queued_mail", verbosity=0)
    call_command("send_queued_mail", verbosity=0)
    assert [mail.subject for mail in mailoutbox] == ["Your order"]


def test_person_who_wants_no_mail_gets_a_notification_alone(ada):
    ada.preferences = {"mail": False}
    notify(user=ada, subject="Your order", body="It is on its way.")
    assert not Mail.objects.exists()
    assert ada.notifications.count() == 1


def test_mail_that_cannot_be_sent_is_tried_again_later(ada, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    notify(user=ada, subject="Your order", body="It is on its way.")
    assert send_queued() == 0
    mail = Mail.objects.get()
    assert (mail.attempts, mail.sent_at) == (1, None)
    assert mail.next_try_at > timezone.now()
    assert send_queued() == 0
    mail.refresh_from_db()
    assert mail.attempts == 1
