"""The same project with people, and the dashboard among its pages. PLANS may name other plans, LOGS its logs."""

import os
from pathlib import Path

from settings import *  # noqa: F403
from settings import INSTALLED_APPS as _APPS
from settings import SERVED
from settings import STRANGLER as _STRANGLER

if not SERVED:
    INSTALLED_APPS = [
        *_APPS,
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "strangler.dashboard",
    ]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "staffed_urls"
LOGIN_URL = "/login/"
ALLOWED_HOSTS = ["testserver"]
STRANGLER = {
    **_STRANGLER,
    "PLANS": Path(os.environ.get("PLANS", _STRANGLER["PLANS"])),
    "LOGS": os.environ.get("LOGS"),
}
