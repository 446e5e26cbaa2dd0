"""Settings that several apps read: each side of a cut must be given them, and changed with the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Chain, Named
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File

_TEXT = """
    ABSOLUTE_URL_OVERRIDES ADMINS ALLOWED_HOSTS APPEND_SLASH AUTHENTICATION_BACKENDS AUTH_PASSWORD_VALIDATORS
    AUTH_USER_MODEL BASE_DIR CACHES CACHE_MIDDLEWARE_ALIAS CACHE_MIDDLEWARE_KEY_PREFIX CACHE_MIDDLEWARE_SECONDS
    CSRF_COOKIE_AGE CSRF_COOKIE_DOMAIN CSRF_COOKIE_HTTPONLY CSRF_COOKIE_NAME CSRF_COOKIE_PATH CSRF_COOKIE_SAMESITE
    CSRF_COOKIE_SECURE CSRF_FAILURE_VIEW CSRF_HEADER_NAME CSRF_TRUSTED_ORIGINS CSRF_USE_SESSIONS DATABASES
    DATABASE_ROUTERS DATA_UPLOAD_MAX_MEMORY_SIZE DATA_UPLOAD_MAX_NUMBER_FIELDS DATA_UPLOAD_MAX_NUMBER_FILES
    DATETIME_FORMAT DATETIME_INPUT_FORMATS DATE_FORMAT DATE_INPUT_FORMATS DEBUG DEBUG_PROPAGATE_EXCEPTIONS
    DECIMAL_SEPARATOR DEFAULT_AUTO_FIELD DEFAULT_CHARSET DEFAULT_EXCEPTION_REPORTER
    DEFAULT_EXCEPTION_REPORTER_FILTER DEFAULT_FROM_EMAIL DEFAULT_INDEX_TABLESPACE DEFAULT_TABLESPACE
    DISALLOWED_USER_AGENTS EMAIL_BACKEND EMAIL_HOST EMAIL_HOST_PASSWORD EMAIL_HOST_USER EMAIL_PORT
    EMAIL_SSL_CERTFILE EMAIL_SSL_KEYFILE EMAIL_SUBJECT_PREFIX EMAIL_TIMEOUT EMAIL_USE_LOCALTIME EMAIL_USE_SSL
    EMAIL_USE_TLS FILE_UPLOAD_DIRECTORY_PERMISSIONS FILE_UPLOAD_HANDLERS FILE_UPLOAD_MAX_MEMORY_SIZE
    FILE_UPLOAD_PERMISSIONS FILE_UPLOAD_TEMP_DIR FIRST_DAY_OF_WEEK FIXTURE_DIRS FORCE_SCRIPT_NAME
    FORMAT_MODULE_PATH FORMS_URLFIELD_ASSUME_HTTPS FORM_RENDERER IGNORABLE_404_URLS INSTALLED_APPS INTERNAL_IPS
    LANGUAGES LANGUAGES_BIDI LANGUAGE_CODE LANGUAGE_COOKIE_AGE LANGUAGE_COOKIE_DOMAIN LANGUAGE_COOKIE_HTTPONLY
    LANGUAGE_COOKIE_NAME LANGUAGE_COOKIE_PATH LANGUAGE_COOKIE_SAMESITE LANGUAGE_COOKIE_SECURE LOCALE_PATHS LOGGING
    LOGGING_CONFIG LOGIN_REDIRECT_URL LOGIN_URL LOGOUT_REDIRECT_URL MANAGERS MEDIA_ROOT MEDIA_URL MESSAGE_STORAGE
    MIDDLEWARE MIGRATION_MODULES MONTH_DAY_FORMAT NUMBER_GROUPING PASSWORD_HASHERS PASSWORD_RESET_TIMEOUT
    PREPEND_WWW ROOT_URLCONF SECRET_KEY SECRET_KEY_FALLBACKS SECURE_CONTENT_TYPE_NOSNIFF
    SECURE_CROSS_ORIGIN_OPENER_POLICY SECURE_HSTS_INCLUDE_SUBDOMAINS SECURE_HSTS_PRELOAD SECURE_HSTS_SECONDS
    SECURE_PROXY_SSL_HEADER SECURE_REDIRECT_EXEMPT SECURE_REFERRER_POLICY SECURE_SSL_HOST SECURE_SSL_REDIRECT
    SERVER_EMAIL SESSION_CACHE_ALIAS SESSION_COOKIE_AGE SESSION_COOKIE_DOMAIN SESSION_COOKIE_HTTPONLY
    SESSION_COOKIE_NAME SESSION_COOKIE_PATH SESSION_COOKIE_SAMESITE SESSION_COOKIE_SECURE SESSION_ENGINE
    SESSION_EXPIRE_AT_BROWSER_CLOSE SESSION_FILE_PATH SESSION_SAVE_EVERY_REQUEST SESSION_SERIALIZER
    SHORT_DATETIME_FORMAT SHORT_DATE_FORMAT SIGNED_COOKIE_LEGACY_SALT_FALLBACK SIGNING_BACKEND
    SILENCED_SYSTEM_CHECKS SITE_ID STATICFILES_DIRS STATICFILES_FINDERS STATIC_ROOT STATIC_URL STORAGES TEMPLATES
    TEST_NON_SERIALIZED_APPS TEST_RUNNER THOUSAND_SEPARATOR TIME_FORMAT TIME_INPUT_FORMATS TIME_ZONE USE_I18N
    USE_THOUSAND_SEPARATOR USE_TZ USE_X_FORWARDED_HOST USE_X_FORWARDED_PORT WSGI_APPLICATION X_FRAME_OPTIONS
    YEAR_MONTH_FORMAT
"""
DJANGOS = frozenset(_TEXT.split())
"""Settings that Django itself has: all apps go by them, which ties none to another."""


@dataclass(frozen=True)
class _Read:
    file: File
    line: int
    scope: str
    default: bool
    """Whether the place has a value of its own where the setting is not there."""


def find(project: Project) -> Iterator[Coupling]:
    """One for each place that reads a setting of another app, or one of the project's that another app reads too."""
    reads: dict[str, list[_Read]] = {}
    stated = _stated(project)
    for file in project.files():
        if file.module.is_migration:
            continue
        of_django = file.imports.get("settings") in ("django.conf.settings", "django.conf.LazySettings")
        for chain in file.facts.chains:
            for name, read in (*(_reads(file, chain) if of_django else ()), *_named(file, chain, stated)):
                reads.setdefault(name, []).append(read)
    for name, places in reads.items():
        apps = sorted({project.app_of(read.file).label for read in places if not read.file.module.is_test})
        owner, why = _owner(project, name, places, stated.get(name))
        if owner and (len(apps) > 1 or why == "by its name"):
            module = stated[name].module.name if name in stated else "settings"
            detail = f"{name}, {why}" if len(apps) < 2 else f"{name}, {why}; read by {', '.join(apps)}"
            for read in places:
                at = Place(read.file, read.line, read.scope)
                yield from project.coupling(Kind.SETTING, at, owner, f"{module}.{name}", detail)


def _reads(file: File, chain: Chain) -> Iterator[tuple[str, _Read]]:
    first, *rest = chain.steps
    if first.name == "settings" and rest and rest[0].name.isupper() and not chain.stored:
        name, line, default = rest[0].name, rest[0].line or chain.line, False
    elif first.name == "getattr" and len(first.args) > 1 and first.args[0] == "settings":
        name, line, default = str(first.args[1]), first.line or chain.line, len(first.args) > 2
        if isinstance(first.args[1], Named) or not name.isupper():
            return
    else:
        return
    if name not in DJANGOS:
        yield name, _Read(file, line, chain.scope, default)


def _named(file: File, chain: Chain, stated: Mapping[str, File]) -> Iterator[tuple[str, _Read]]:
    """The one whose name a function is given as a text, as a helper that loads what a setting names."""
    call = chain.steps[-1]
    name = call.args[0] if call.called and call.args and call.name != "getattr" else None
    if not isinstance(name, str) or isinstance(name, Named) or name not in stated:
        return
    if stated[name] is not file:  # there it may be an environment's variable
        yield name, _Read(file, call.line or chain.line, chain.scope, False)


def _stated(project: Project) -> Mapping[str, File]:
    """Where each setting is given its value, the first of several such modules."""
    found: dict[str, File] = {}
    for file in project.files():
        if "settings" in file.module.name and not file.module.is_test:
            for name in file.facts.assigned:
                if name.isupper() and name not in DJANGOS:
                    found.setdefault(name, file)
    return found


def _owner(project: Project, name: str, places: Sequence[_Read], stated: File | None) -> tuple[str, str]:
    """(whose setting it is, why): the app that it is called after, the one that has a default, or the project."""
    labels = [app.label for app in project.apps.by_package.values() if app.is_app]
    called = [label for label in labels if name.startswith(f"{label.upper()}_")]
    if called:
        return max(called, key=len), "by its name"
    default = {project.app_of(read.file).label for read in places if read.default and not read.file.module.is_test}
    if len(default) == 1:
        return default.pop(), "by its default"
    return (project.app_of(stated).label, "of the project") if stated is not None else ("", "")
