"""The project's settings of the toolkit, read once where they are needed and checked to be complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from strangler_proxy.gateway.policies import NO_GATEWAY, Gateway


@dataclass(frozen=True, kw_only=True)
class Service:
    """One extracted service: its database, for an administrator, and where it answers."""

    name: str
    dsn: str
    upstream: str


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """One proxy: its engine, where the toolkit reaches it, and the Python proxies behind it."""

    engine: str
    where: str
    """The URL of a Python proxy, the directory of an HAProxy or an Envoy."""
    companions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Copying:
    """Who is asked to help with a copy, and what it spares; None is no bound. See strangler.split.copying.Throttle."""

    app: str = ""
    queue: str | None = None
    workers: int = 0
    rows_per_second: float | None = None
    replica_lag: float | None = None
    running: float | None = None
    log_limit: int | None = None
    """Bytes; see strangler.split.spec.MoveSpec."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """`settings.STRANGLER`, with its defaults."""

    plans: Path
    records: Path
    source_dsn: str
    services: Mapping[str, Service]
    monolith_upstream: str
    proxies: tuple[Proxy, ...]
    proxy_token: str
    identity_key: Path | None
    capture: str
    gateway: Gateway = NO_GATEWAY
    openapi: Mapping[str, str] = field(default_factory=dict)
    """By upstream, where its OpenAPI document is: a path there ("/api/schema/"), or "file:" and a path here."""
    logs: Path | None = None
    """The folder with a log of each component, of which the dashboard shows traces; see strangler.tracing.logs."""
    copying: Copying = Copying()

    def service(self, name: str) -> Service:
        """The named service; ImproperlyConfigured where the settings do not know it."""
        try:
            return self.services[name]
        except KeyError:
            known = ", ".join(sorted(self.services)) or "none"
            raise ImproperlyConfigured(
                f'STRANGLER["SERVICES"] has no service "{name}" (known: {known}); add it with its DSN and UPSTREAM'
            ) from None


_WHERE: Mapping[str, str] = {"haproxy": "DIRECTORY", "envoy": "DIRECTORY"}
"""The key that says where an engine is reached."""


def configuration() -> Configuration:
    """What `settings.STRANGLER` says. Raises ImproperlyConfigured naming the key that is wrong."""
    given: Any = getattr(settings, "STRANGLER", None)
    if not isinstance(given, Mapping):
        given = {}
    known = {
        "PLANS",
        "RECORDS",
        "SOURCE_DSN",
        "SERVICES",
        "MONOLITH_UPSTREAM",
        "PROXIES",
        "PROXY_TOKEN",
        "IDENTITY_KEY",
        "COPY",
        "CAPTURE",
        "GATEWAY",
        "OPENAPI",
        "LOGS",
        "TRACE",  # see strangler.tracing.options: it is read where nothing else of this is needed
    }
    if unknown := sorted(set(given) - known):
        raise ImproperlyConfigured(f'STRANGLER has an unknown key "{unknown[0]}"; it knows {", ".join(sorted(known))}')
    capture = given.get("CAPTURE", "triggers")
    if capture not in ("triggers", "log"):
        raise ImproperlyConfigured(f'STRANGLER["CAPTURE"] is "{capture}"; write "triggers" or "log"')
    plans = Path(given.get("PLANS") or Path.cwd() / "migration_plans")
    identity_key, logs = given.get("IDENTITY_KEY"), given.get("LOGS")
    return Configuration(
        plans=plans,
        records=Path(given.get("RECORDS") or plans),
        source_dsn=given.get("SOURCE_DSN") or "",
        services={
            name: Service(name=name, dsn=service.get("DSN", ""), upstream=service.get("UPSTREAM", ""))
            for name, service in given.get("SERVICES", {}).items()
        },
        monolith_upstream=given.get("MONOLITH_UPSTREAM") or "http://127.0.0.1:8001",
        proxies=_proxies(given.get("PROXIES", ())),
        proxy_token=given.get("PROXY_TOKEN") or "",
        identity_key=Path(identity_key) if identity_key else None,
        copying=_copying(given.get("COPY") or {}),
        capture=capture,
        openapi=_openapi(given.get("OPENAPI") or {}),
        logs=Path(logs) if logs else None,
        gateway=_gateway(given.get("GATEWAY") or ""),
    )


def _proxies(given: Iterable[Any]) -> tuple[Proxy, ...]:
    proxies = tuple(_proxy(entry) for entry in given)
    urls = [url for proxy in proxies for url in (proxy.companions or (proxy.where,))]
    if twice := sorted({url for url in urls if urls.count(url) > 1}):
        # It would be asked twice, and what it has counted be taken for that of two.
        raise ImproperlyConfigured(f'STRANGLER["PROXIES"] names "{twice[0]}" twice; give each proxy its own companions')
    return proxies


def _proxy(entry: Any) -> Proxy:
    if isinstance(entry, str):
        return Proxy(engine="mitmproxy", where=entry)
    engine = str(entry.get("ENGINE")) if isinstance(entry, Mapping) else ""
    key = _WHERE.get(engine)
    if key is None:
        raise ImproperlyConfigured(
            f'STRANGLER["PROXIES"] has the entry {entry!r}; write the URL of a Python proxy, or '
            '{"ENGINE": "haproxy", "DIRECTORY": "...", "COMPANIONS": ["..."]}, or "envoy" likewise'
        )
    if unknown := sorted(set(entry) - {"ENGINE", key, "COMPANIONS"}):
        raise ImproperlyConfigured(
            f'STRANGLER["PROXIES"] has an unknown key "{unknown[0]}" in the entry of {engine}; '
            f"it knows {key} and COMPANIONS"
        )
    if not entry.get(key):
        raise ImproperlyConfigured(f'STRANGLER["PROXIES"] has an entry of {engine} without its "{key}"; add that')
    return Proxy(engine=engine, where=str(entry[key]), companions=tuple(entry.get("COMPANIONS", ())))


def _openapi(given: Mapping[str, str]) -> Mapping[str, str]:
    for upstream, where in given.items():
        if not where.startswith(("/", "file:")):
            raise ImproperlyConfigured(
                f'STRANGLER["OPENAPI"]["{upstream}"] is "{where}"; write a path of that server ("/api/schema/"), or '
                '"file:" and a path'
            )
    return dict(given)


def _gateway(path: str) -> Gateway:
    if not path:
        return NO_GATEWAY
    try:
        found = import_string(path)
    except (ImportError, ValueError, TypeError) as error:
        raise ImproperlyConfigured(f'STRANGLER["GATEWAY"] names "{path}", which is no gateway ({error})') from error
    if not isinstance(found, Gateway):
        raise ImproperlyConfigured(
            f'STRANGLER["GATEWAY"] names "{path}", which is a {type(found).__name__}; name a '
            "strangler_proxy.gateway.Gateway"
        )
    return found


def _copying(given: Mapping[str, Any]) -> Copying:
    known = {field.name.upper() for field in fields(Copying)}
    if unknown := sorted(set(given) - known):
        raise ImproperlyConfigured(
            f'STRANGLER["COPY"] has an unknown key "{unknown[0]}"; it knows {", ".join(sorted(known))}'
        )
    copying = Copying(**{key.lower(): value for key, value in given.items()})
    if copying.workers and not copying.app:
        raise ImproperlyConfigured('STRANGLER["COPY"] asks for WORKERS; name their Celery application in "APP"')
    for name in ("rows_per_second", "replica_lag", "running", "log_limit"):
        bound = getattr(copying, name)
        if bound is not None and bound <= 0:
            raise ImproperlyConfigured(
                f'STRANGLER["COPY"]["{name.upper()}"] is {bound}; give more than 0, or leave it out'
            )
    return copying
