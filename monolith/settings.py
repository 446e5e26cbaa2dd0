"""Orchard's settings. Everything that differs between machines comes from the environment; see docs/contracts.md."""

import sys
from pathlib import Path

from monolith import env, logs

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.flag("ORCHARD_DEBUG")
# Left empty, Django refuses to start anything that signs; only development and tests get a known key.
SECRET_KEY = env.text(
    "ORCHARD_SECRET_KEY",
    "development-and-tests-only" if DEBUG or "pytest" in sys.modules else "",
)
ALLOWED_HOSTS = env.words("ORCHARD_ALLOWED_HOSTS", "127.0.0.1,localhost,testserver")

INSTALLED_APPS = [
    "monolith.accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "monolith.media",
    "monolith.catalog",
    "monolith.search",
    "monolith.cart",
    "monolith.orders",
    "monolith.reviews",
    "monolith.outbox",
    "monolith.notifications",
    "monolith.events",
    "monolith.monitoring",
    "monolith.workflow",
    "strangler",
    "strangler.dashboard",
]

MIDDLEWARE = [
    "strangler.tracing.middleware.trace",
    "monolith.tracing.middleware",
    "monolith.monitoring.middleware.MeasureRequests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "monolith.events.middleware.RecordEvents",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "strangler.middleware.StranglerMiddleware",
]

ROOT_URLCONF = "monolith.urls"
WSGI_APPLICATION = "monolith.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "monolith" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "monolith.cart.context.cart",
            ]
        },
    }
]

DATABASES = {"default": env.database(env.text("ORCHARD_DATABASE_URL", "postgresql://orchard@127.0.0.1:5432/orchard"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "profile"
LOGOUT_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "django.contrib.sessions.backends.db"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "monolith" / "static"]
# Where `collectstatic` has put the files; without it they are served from where the apps keep them.
STATIC_ROOT = env.text("ORCHARD_STATIC_ROOT") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None

# The proxy in front keeps the client's Host and says which scheme the client used.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOGGING = logs.configuration(env.text("ORCHARD_LOG_LEVEL", "INFO"))

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = env.text("ORCHARD_MAIL_DIR", str(BASE_DIR / ".run" / "mail"))
DEFAULT_FROM_EMAIL = "Orchard <shop@orchard.example>"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "PAGE_SIZE": 20,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Orchard",
    "DESCRIPTION": "The shop's public interface: products, search and reviews.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/",
}

CELERY_BROKER_URL = env.text("ORCHARD_BROKER_URL", "redis://127.0.0.1:6379/0")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A request that committed must not wait long for a broker that is away; the sweeps pick up what was not sent.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_BEAT_SCHEDULE = {
    "sweep-reviews": {"task": "reviews.sweep", "schedule": 60},
    "refresh-ratings": {"task": "reviews.refresh_ratings", "schedule": 15},
    "reconcile-ratings": {"task": "reviews.reconcile_ratings", "schedule": 3600},
    "relay-events": {"task": "outbox.relay", "schedule": 10},
    "send-queued-mail": {"task": "notifications.send_queued", "schedule": 10},
    "run-workflows": {"task": "workflow.run", "schedule": 10},
}

PAYMENT_URL = env.text("ORCHARD_PAYMENT_URL", "http://127.0.0.1:8010")

REVIEWS_URL = env.text("ORCHARD_REVIEWS_URL", "http://127.0.0.1:8002")
REVIEWS_MOVED = env.text("ORCHARD_REVIEWS_MOVED", "strangler.flags.moved")
REVIEWS_IDENTITY = env.text("ORCHARD_REVIEWS_IDENTITY", "strangler.identity.issue")

# Without a topic the consumers are called in the process in which something happened.
OUTBOX_TOPIC = env.text("ORCHARD_EVENTS_TOPIC")
OUTBOX_CONSUMERS = ["monolith.notifications.consuming.consume"]

NOTIFICATIONS_URL = env.text("ORCHARD_NOTIFICATIONS_URL", "http://127.0.0.1:8003")
NOTIFICATIONS_MOVED = env.text("ORCHARD_NOTIFICATIONS_MOVED", "strangler.flags.moved")
NOTIFICATIONS_IDENTITY = env.text("ORCHARD_NOTIFICATIONS_IDENTITY", "strangler.identity.issue")
NOTIFICATIONS_QUEUE = env.text("NOTIFICATIONS_QUEUE")
NOTIFICATIONS_DEAD_QUEUE = env.text("NOTIFICATIONS_DEAD_QUEUE")
NOTIFICATIONS_FEEDBACK_QUEUE = env.text("NOTIFICATIONS_FEEDBACK_QUEUE")
# Mails go by SES where it is set, else by EMAIL_BACKEND.
NOTIFICATIONS_CONFIGURATION_SET = env.text("NOTIFICATIONS_CONFIGURATION_SET")
NOTIFICATIONS_FROM = env.text("NOTIFICATIONS_FROM", DEFAULT_FROM_EMAIL)

_PLANS = BASE_DIR / "migration_plans"
STRANGLER = {
    "PLANS": _PLANS,
    "RECORDS": Path(env.text("STRANGLER_RECORDS", str(_PLANS))),
    "SOURCE_DSN": env.text("STRANGLER_SOURCE_DSN"),
    "SERVICES": {
        "reviews": {"DSN": env.text("STRANGLER_REVIEWS_DSN"), "UPSTREAM": REVIEWS_URL},
        "notifications": {"DSN": env.text("STRANGLER_NOTIFICATIONS_DSN"), "UPSTREAM": NOTIFICATIONS_URL},
    },
    "MONOLITH_UPSTREAM": env.text("STRANGLER_MONOLITH_URL", "http://127.0.0.1:8001"),
    "PROXIES": env.words("STRANGLER_PROXIES"),
    "PROXY_TOKEN": env.text("STRANGLER_PROXY_TOKEN"),
    "IDENTITY_KEY": env.text("STRANGLER_IDENTITY_KEY"),
    "OPENAPI": dict.fromkeys(["monolith", "reviews", "notifications"], "/api/schema/"),
    "TRACE": {"FOLDER": env.text("STRANGLER_TRACE")},
    "LOGS": env.text("STRANGLER_LOGS"),
}
