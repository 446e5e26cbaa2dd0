"""The service's settings; everything that differs between machines comes from the environment."""

import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("REVIEWS_DEBUG") == "1"
# Left empty, Django refuses to start anything that signs; only development and tests get a known key.
SECRET_KEY = os.environ.get("REVIEWS_SECRET_KEY") or (
    "development-and-tests-only" if DEBUG or "pytest" in sys.modules else ""
)
ALLOWED_HOSTS = os.environ.get("REVIEWS_ALLOWED_HOSTS", "127.0.0.1,localhost,testserver").split(",")

INSTALLED_APPS = ["rest_framework", "drf_spectacular", "reviews_service.reviews"]
MIDDLEWARE = [
    "reviews_service.tracing.TraceMiddleware",
    "django.middleware.common.CommonMiddleware",
    "reviews_service.rehearsal.RehearsalMiddleware",
]
ROOT_URLCONF = "reviews_service.urls"
WSGI_APPLICATION = "reviews_service.wsgi.application"

_database = urlsplit(os.environ.get("REVIEWS_DATABASE_URL", "postgresql://reviews@127.0.0.1:5432/reviews"))
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
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

IDENTITY_ISSUER = "strangler"
IDENTITY_AUDIENCE = "reviews"
IDENTITY_PUBLIC_KEY = os.environ.get("REVIEWS_IDENTITY_PUBLIC_KEY", "")

# What the proxy shows when it asks to rehearse a write; empty: nothing is rehearsed.
REHEARSAL_TOKEN = os.environ.get("REVIEWS_REHEARSAL_TOKEN", "")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "PAGE_SIZE": 20,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "reviews_service.identity.Anonymous",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Orchard's reviews",
    "DESCRIPTION": "Reviews of products, and votes on reviews.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "reviews_service.tracing.JsonFormatter"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
    "root": {"handlers": ["out"], "level": os.environ.get("REVIEWS_LOG_LEVEL", "INFO")},
}
