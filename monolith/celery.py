"""The Celery application: `celery -A monolith.celery worker`, and `beat` for the periodic tasks."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monolith.settings")

app = Celery("orchard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_everybody_does(**_):
    """Celery sets up nothing of its own where somebody listens: Django's settings hold, and their level."""
