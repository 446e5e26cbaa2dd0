"""The Celery application: `celery -A notifications_service worker --beat`."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_service.settings")

app = Celery("notifications")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_everybody_does(**_):
    """Celery sets up nothing of its own where somebody listens: Django's settings hold."""
