"""An order is placed, and its customer gets one mail: whoever is killed on the way, and however often it is told."""

import json
import sys
from contextlib import contextmanager
from unittest.mock import patch

import django
from django.conf import settings

MAIL = "ada@orchard.example"


class Killed(BaseException):
    """kill -9, at this very place."""


class Topic:
    """What the relay hands events to, and the consumer takes them from. `fault`: how it goes wrong, once."""

    def __init__(self):
        self.queue, self.fault = [], ""

    def __call__(self, envelopes):
        fault, self.fault = self.fault, ""
        if fault == "away":
            raise ConnectionError("the topic is away")
        self.queue += json.loads(json.dumps(envelopes))
        if fault == "killed behind it":
            raise Killed
        return [told["event"] for told in envelopes]


def main():
    set_up()
    told = cases()
    if "--json" in sys.argv:
        print(json.dumps(told))
        return
    print("Ada orders an Oak Stool; mails to her:")
    for case, came in told.items():
        print(f"  {case:<60}{came}")


def set_up():
    """Orchard's own outbox and notifications, with a database in memory."""
    from monolith import settings as orchard

    apps = ["contenttypes", "auth"]
    settings.configure(
        INSTALLED_APPS=[
            *(f"django.contrib.{app}" for app in apps),
            *(f"monolith.{app}" for app in ("accounts", "outbox", "notifications")),
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD=orchard.DEFAULT_AUTO_FIELD,
        AUTH_USER_MODEL=orchard.AUTH_USER_MODEL,
        USE_TZ=True,
        OUTBOX_TOPIC="arn:aws:sns:eu-west-1:1:orchard-events.fifo",
        NOTIFICATIONS_MOVED="monolith.reviews.flags.never",
    )
    django.setup()
    from django.apps import apps as all_apps
    from django.db import connection

    with connection.schema_editor() as editor:
        for model in all_apps.get_models():
            editor.create_model(model)


def cases():
    """{case: how many mails came, or what became of the order instead}."""
    told = {}
    with world() as topic:
        told["all goes well"] = order() or mails(topic)
    with world() as topic:
        told["the payment fails, and the order is taken back"] = order(fails=True) or mails(topic)
    with world() as topic:
        topic.fault = "away"
        told["the topic is away as she orders, and comes back"] = order() or mails(topic)
    with world() as topic:
        told["Orchard is killed right behind the order's commit"] = order(then=Killed) or mails(topic)
    with world() as topic:
        topic.fault = "killed behind it"
        told["whoever tells the topic is killed before it answers"] = order() or mails(topic)
    with world() as topic:
        told["the queue delivers three times"] = order() or mails(topic, times=3)
    with world() as topic:
        told["the consumer is killed as it writes the mail"] = order() or mails(topic, killed="Mail")
    with world() as topic:
        told["the consumer is killed as it notes the event"] = order() or mails(topic, killed="Received")
    return told


@contextmanager
def world():
    """An empty shop with one customer, and its topic."""
    from monolith.accounts.models import User
    from monolith.notifications.models import Mail, Notification, Received
    from monolith.outbox.models import Event

    for model in (Mail, Notification, Received, Event):
        model.objects.all().delete()
    User.objects.get_or_create(username="ada", defaults={"email": MAIL})
    topic = Topic()
    with (
        patch("monolith.outbox.destination.Topic", lambda arn, client: topic),
        patch("monolith.aws.client", lambda name: None),
    ):
        yield topic


def order(*, fails=False, then=None):
    """What became of it, if it is not placed as it should be."""
    from django.db import transaction

    from monolith.accounts.models import User
    from monolith.outbox.services import emit

    ada = User.objects.get()
    try:
        with transaction.atomic():
            if then:
                transaction.on_commit(lambda: _raise(then))
            data = {"user_id": ada.pk, "order": "0B7E5A34", "total": "€ 37.50"}
            emit(type="order.placed", version=1, subject=f"user:{ada.pk}", data=data)
            if fails:
                _raise(ZeroDivisionError)
    except (Killed, ZeroDivisionError):
        return ""
    except Exception as error:
        return f"the page breaks: {error}"
    return ""


def mails(topic, *, times=1, killed=""):
    """Relay and consume as Orchard's processes do, each started anew where it was killed; the number of mails."""
    from django.db.models.signals import pre_save

    from monolith.notifications import models
    from monolith.notifications.consuming import consume
    from monolith.outbox.destination import destination
    from monolith.outbox.relay import relay_all

    for _ in range(2):
        try:
            relay_all(destination())
        except (Killed, ConnectionError):
            continue
    victims = [killed] if killed else []

    def die(sender, **_):
        if sender.__name__ in victims:
            victims.remove(sender.__name__)
            raise Killed

    pre_save.connect(die)
    for told in [told for told in topic.queue for _ in range(times)]:
        try:
            consume(told)
        except Killed:
            consume(told)
    pre_save.disconnect(die)
    return str(models.Mail.objects.filter(recipient=MAIL).count())


def _raise(error):
    raise error


if __name__ == "__main__":
    main()
