from datetime import timedelta

from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from monolith.notifications.models import Mail, Notification

MOST_ATTEMPTS = 8


def notify(*, user, subject, body, urgent=False):
    """Tell a person on the site and by mail. An urgent mail is sent at once, before this returns."""
    Notification.objects.create(user=user, subject=subject, body=body)
    if not user.email or not user.preferences.get("mail", True):
        return
    mail = Mail.objects.create(recipient=user.email, subject=subject, body=body)
    if urgent:
        _send(mail)


def send_queued(*, limit=100):
    """Send what is due, one transaction a mail; several senders may run side by side. Returns how many were sent."""
    sent = 0
    for _ in range(limit):
        with transaction.atomic():
            mail = _next_due()
            if mail is None:
                break
            sent += _send(mail)
    return sent


def _next_due():
    due = Mail.objects.filter(sent_at=None, next_try_at__lte=timezone.now(), attempts__lt=MOST_ATTEMPTS)
    return due.select_for_update(skip_locked=True).order_by("next_try_at", "id").first()


def _send(mail):
    mail.attempts += 1
    try:
        send_mail(mail.subject, mail.body, None, [mail.recipient])
    except OSError as error:  # smtplib's errors are OSErrors too
        mail.error = str(error)
        mail.next_try_at = timezone.now() + timedelta(seconds=2**mail.attempts)
    else:
        mail.error = ""
        mail.sent_at = timezone.now()
    mail.save()
    return mail.sent_at is not None
