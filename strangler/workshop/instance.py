"""One running copy of Orchard: where it keeps its things, on which ports, with which secrets."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from strangler_proxy.effects import token_for

from strangler.deploy.ports import free_port, is_free
from strangler.deploy.postgres import PostgresServer
from strangler.errors import StranglerError
from strangler.identity import generate_keys
from strangler.workshop.aws import names

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = (
    *("proxy", "orchard", "reviews", "payment", "orchard-database", "reviews-database", "broker", "aws"),
    "notifications",
)
"""The parts that listen, in the order of their ports."""
DATABASES = {"orchard": "orchard", "reviews": "reviews", "notifications": "reviews"}
"""Whose databases there are, and the server of each: two share one, to spare the machine a third."""
SERVERS = tuple(dict.fromkeys(DATABASES.values()))
SERVICES = ("reviews", "notifications")
PASSWORD = "orchard-demo"  # noqa: S105 - everybody's in the seeded shop; it listens on loopback only


class InstanceError(StranglerError):
    """A copy of Orchard cannot be made or used."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A copy of Orchard below "home". Its ports are chosen once, then remembered there."""

    home: Path
    aws: bool = False
    """Whether there is an AWS too, and with it the notifications service, and Orchard is told of it."""

    def prepare(self, base: int | None) -> None:
        """Choose ports (from "base" upwards; None: any free ones) and make the secrets, on first use.

        Raises InstanceError naming the part and the port where one is in use; then none is remembered.
        """
        known = json.loads(self._ports_file.read_text(encoding="ascii")) if self._ports_file.exists() else {}
        # A copy that an earlier release made may lack the port of a part that came later.
        ports = _free_ports(known) if known or base is None else {part: base + n for n, part in enumerate(PARTS)}
        if ports != known:
            new = {part: port for part, port in ports.items() if part not in known}
            _refuse_taken(new, "choose other ports with STRANGLER_PORT_BASE=9000")
            self.home.mkdir(parents=True, exist_ok=True)
            self._ports_file.write_text(json.dumps(ports), encoding="ascii")
        generate_keys(self.home / "secrets")
        kept = self._secrets_file.exists()
        words = dict(json.loads(self._secrets_file.read_text(encoding="ascii"))) if kept else {}
        if lacking := [name for name in ("orchard", *SERVICES, "proxy", "database") if name not in words]:
            words |= {name: secrets.token_urlsafe(32) for name in lacking}
            self._secrets_file.touch(mode=0o600)
            self._secrets_file.write_text(json.dumps(words), encoding="ascii")

    def refuse_taken_ports(self, ours: Collection[str] = ()) -> None:
        """Raises InstanceError where somebody else listens on a port of a part that we do not run ourselves."""
        ports = {part: port for part, port in self.ports.items() if part not in ours}
        _refuse_taken(ports, f'remove "{self.home}" to begin anew on other ports')

    @cached_property
    def ports(self) -> Mapping[str, int]:
        return dict(json.loads(self._ports_file.read_text(encoding="ascii")))

    @cached_property
    def secrets(self) -> Mapping[str, str]:
        return dict(json.loads(self._secrets_file.read_text(encoding="ascii")))

    def url(self, part: str) -> str:
        return f"http://127.0.0.1:{self.ports[part]}"

    def database(self, name: str) -> PostgresServer:
        """One of SERVERS."""
        return PostgresServer(data=self.home / "postgres" / name, port=self.ports[f"{name}-database"])

    def admin_dsn(self, name: str) -> str:
        """The database of one of DATABASES, for the administrator of its server."""
        return self.database(DATABASES[name]).dsn(name)

    def app_dsn(self, name: str) -> str:
        """The database as the application uses it: an ordinary user who owns its tables."""
        return self.database(DATABASES[name]).dsn(name, name, self.secrets["database"])

    @property
    def public_key(self) -> Path:
        return self.home / "secrets" / "identity.pub.pem"

    @property
    def records(self) -> Path:
        return self.home / "record"

    def environment(self) -> dict[str, str]:
        """The variables of docs/contracts.md for this copy."""
        return {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "proxy")]),
            "DJANGO_SETTINGS_MODULE": "monolith.settings",
            "ORCHARD_SECRET_KEY": self.secrets["orchard"],
            "ORCHARD_DATABASE_URL": self.app_dsn("orchard"),
            "ORCHARD_BROKER_URL": f"redis://127.0.0.1:{self.ports['broker']}/0",
            "ORCHARD_PAYMENT_URL": self.url("payment"),
            "ORCHARD_REVIEWS_URL": self.url("reviews"),
            "ORCHARD_NOTIFICATIONS_URL": self.url("notifications"),
            "ORCHARD_ALLOWED_HOSTS": "127.0.0.1,localhost",
            "ORCHARD_MAIL_DIR": str(self.home / "mail"),
            "STRANGLER_SOURCE_DSN": self.admin_dsn("orchard"),
            "STRANGLER_REVIEWS_DSN": self.admin_dsn("reviews"),
            "STRANGLER_NOTIFICATIONS_DSN": self.admin_dsn("notifications"),
            "STRANGLER_MONOLITH_URL": self.url("orchard"),
            "STRANGLER_PROXIES": self.url("proxy"),
            "STRANGLER_PROXY_LISTEN": f"127.0.0.1:{self.ports['proxy']}",
            "STRANGLER_PROXY_TOKEN": self.secrets["proxy"],
            "STRANGLER_PROXY_STATE": str(self.home / "proxy" / "table.json"),
            "STRANGLER_PROXY_MONOLITH": self.url("orchard"),
            "STRANGLER_IDENTITY_KEY": str(self.home / "secrets" / "identity.pem"),
            "STRANGLER_RECORDS": str(self.records),
            "STRANGLER_LOGS": str(self.home / "processes"),
            **{name: value for service in SERVICES for name, value in self._of_service(service).items()},
            **(self._aws_environment() if self.aws else {}),
        }

    def write_environment(self) -> Path:
        """A file to source in a shell, for its owner alone."""
        path = self.home / "env"
        path.touch(mode=0o600)
        lines = [f"export {name}='{value}'" for name, value in self.environment().items()]
        path.write_text("\n".join([*lines, f"export PATH='{Path(sys.executable).parent}':$PATH", ""]), encoding="utf-8")
        return path

    def _of_service(self, name: str) -> dict[str, str]:
        of_service = {
            "SECRET_KEY": self.secrets[name],
            "REHEARSAL_TOKEN": token_for(self.secrets["proxy"], name),
            "DATABASE_URL": self.app_dsn(name),
            "IDENTITY_PUBLIC_KEY": str(self.public_key),
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
        }
        return {f"{name.upper()}_{variable}": value for variable, value in of_service.items()}

    def _aws_environment(self) -> dict[str, str]:
        broker = {"NOTIFICATIONS_BROKER_URL": f"redis://127.0.0.1:{self.ports['broker']}/1"}
        return {**names.environment(self.url("aws")), **broker}

    @property
    def _ports_file(self) -> Path:
        return self.home / "ports.json"

    @property
    def _secrets_file(self) -> Path:
        return self.home / "secrets" / "secrets.json"


def _refuse_taken(ports: Mapping[str, int], otherwise: str) -> None:
    for part, port in ports.items():
        if not is_free(port):
            raise InstanceError(f"port {port}, for {part}, is in use; stop what listens there, or {otherwise}")


def _free_ports(known: Mapping[str, int]) -> dict[str, int]:
    """One for each part that has none yet."""
    ports = dict(known)
    for part in PARTS:
        while part not in ports:
            port = free_port()
            if port not in ports.values():
                ports[part] = port
    return ports
