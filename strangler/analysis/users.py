"""The fields of Django's own abstract users, which most projects' users inherit from (django.contrib.auth)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_BASE = ("password", "last_login")
_PERMISSIONS = ("is_superuser", "groups", "user_permissions")

ABSTRACT_USERS: Mapping[str, Sequence[str]] = {
    "AbstractBaseUser": _BASE,
    "PermissionsMixin": _PERMISSIONS,
    "AbstractUser": (
        *_BASE,
        *_PERMISSIONS,
        *("username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined"),
    ),
}
"""The names of their fields."""

OF_USERS: Mapping[str, str] = {"groups": "auth.Group", "user_permissions": "auth.Permission"}
"""Which of them are many-to-many, and to what."""

DJANGOS_USER, DJANGOS_BASE = "auth.User", "django.contrib.auth.models.AbstractUser"
"""The user of projects that have none of their own, and whose fields it has."""
