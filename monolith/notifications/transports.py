"""Who takes our mails: SES where a configuration set is named, else Django's mail backend."""

from django.conf import settings
from django.core.mail import send_mail

from monolith import aws
from monolith.notifications.outcomes import NotSent
from monolith.notifications.ses import ANSWER_SECONDS, Ses


class Backend:
    """Django's mail backend; it tells nothing of a mail later."""

    def send(self, mail):
        """Hand it over; gives "", as it has no id. Raises NotSent."""
        try:
            send_mail(mail.subject, mail.body, settings.NOTIFICATIONS_FROM, [mail.recipient])
        except OSError as error:  # smtplib's errors are OSErrors too
            raise NotSent(str(error)) from error
        return ""


def transport():
    if not settings.NOTIFICATIONS_CONFIGURATION_SET:
        return Backend()
    client = aws.client("sesv2", read_timeout=ANSWER_SECONDS)
    return Ses(client, sender=settings.NOTIFICATIONS_FROM, configuration_set=settings.NOTIFICATIONS_CONFIGURATION_SET)
