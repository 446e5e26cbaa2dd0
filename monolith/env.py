"""Readers of the environment variables that Orchard is configured by."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit


def text(name, default=""):
    """The variable's value, or `default` where it is unset or empty."""
    return os.environ.get(name) or default


def flag(name):
    return text(name).lower() in {"1", "true", "yes", "on"}


def words(name, default=""):
    """A comma-separated variable as a list without blanks."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def database(url):
    """`postgresql://user:password@host:port/name?option=value` as Django's dictionary of one database."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ValueError(
            "ORCHARD_DATABASE_URL must look like 'postgresql://user:password@host:port/name'; "
            f"found the scheme '{parts.scheme}' and the name '{parts.path.strip('/')}'."
        )
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": True,
        "OPTIONS": options,
    }
