"""The service's settings; everything that differs between machines comes from the environment."""

import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from notifications_service import broker

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("NOTIFICATIONS_DEBUG") == "1"
# Left empty, Django refuses to start anything that signs; only development and tests get a known key.
SECRET_KEY = os.environ.get("NOTIFICATIONS_SECRET_KEY") or (
    "development-and-tests-only" if DEBUG or "pytest" in sys.modules else ""
)
ALLOWED_HOSTS = os.environ.get("NOTIFICATIONS_ALLOWED_HOSTS", "127.0.0.1,localhost,testserver").split(",")

INSTALLED_APPS = ["rest_framework", "drf_spectacular", "notifications_service.notifications"]
MIDDLEWARE = [
    "notifications_service.tracing.TraceMiddleware",
    "django.middleware.common.CommonMiddleware",
    "notifications_service.rehearsal.RehearsalMiddleware",
    "notifications_service.fence.FenceMiddleware",
]
ROOT_URLCONF = "notifications_service.urls"
WSGI_APPLICATION = "notifications_service.wsgi.application"

_database = urlsplit(
    os.environ.get("NOTIFICATIONS_DATABASE_URL", "postgresql://notifications@127.0.0.1:5432/notifications")
)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": _database.hostname or "",
        "PORT": _database.port or 5432,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # A refused write takes the whole request with it.
        "ATOMIC_REQUESTS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

IDENTITY_ISSUER = "strangler"
IDENTITY_AUDIENCE = "notifications"
IDENTITY_PUBLIC_KEY = os.environ.get("NOTIFICATIONS_IDENTITY_PUBLIC_KEY", "")

# What the proxy shows when it asks to rehearse a write; empty: nothing is rehearsed.
REHEARSAL_TOKEN = os.environ.get("NOTIFICATIONS_REHEARSAL_TOKEN", "")

# The move that brings the tables here; messages are taken only while it has. Empty: the service stands alone.
MOVE = os.environ.get("NOTIFICATIONS_MOVE", "0002_notifications")

# AWS: endpoint, region and credentials are boto3's own variables.
QUEUE = os.environ.get("NOTIFICATIONS_QUEUE", "")
DEAD_QUEUE = os.environ.get("NOTIFICATIONS_DEAD_QUEUE", "")
FEEDBACK_QUEUE = os.environ.get("NOTIFICATIONS_FEEDBACK_QUEUE", "")
CONFIGURATION_SET = os.environ.get("NOTIFICATIONS_CONFIGURATION_SET", "orchard")
FROM = os.environ.get("NOTIFICATIONS_FROM", "Orchard <shop@orchard.example>")

# Seconds for which SES's own word is waited for where its answer was lost; only then is a mail sent again.
UNKNOWN_FOR = float(os.environ.get("NOTIFICATIONS_UNKNOWN_FOR", "120"))
SES_SECONDS = 4  # the longest that a call of SES takes
if UNKNOWN_FOR < 2 * SES_SECONDS:
    raise ImproperlyConfigured(
        f"NOTIFICATIONS_UNKNOWN_FOR: {UNKNOWN_FOR:g} s may be over while SES is asked; give at least {2 * SES_SECONDS}"
    )

_broker = broker.celery_settings(os.environ.get("NOTIFICATIONS_BROKER_URL") or "valkey://127.0.0.1:6379/1")
CELERY_BROKER_URL = _broker["broker_url"]
CELERY_BROKER_TRANSPORT_OPTIONS = _broker["broker_transport_options"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "notifications"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# What nobody fetched until the next one is due is not worth doing.
CELERY_BEAT_SCHEDULE = {"sweep": {"task": "notifications.sweep", "schedule": 5, "options": {"expires": 5}}}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["notifications_service.identity.IdentityAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "PAGE_SIZE": 20,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "notifications_service.identity.Anonymous",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Orchard's notifications",
    "DESCRIPTION": "What a person was told, and whether by mail too.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "notifications_service.tracing.JsonFormatter"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
    "root": {"handlers": ["out"], "level": os.environ.get("NOTIFICATIONS_LOG_LEVEL", "INFO")},
    "loggers": {"botocore": {"level": "WARNING"}},  # else it tells where it found each of its settings
}
