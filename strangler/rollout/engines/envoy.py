"""Envoy, told of tables by files in a directory that it watches, with a Python proxy as its companion."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from strangler_proxy.routes import RouteTable, Upstream, older

from strangler.rollout.engines import envoy_config
from strangler.rollout.engines.accompanied import Accompanied, salt
from strangler.rollout.engines.addresses import refuse_itself, resolved
from strangler.rollout.engines.base import EngineError
from strangler.rollout.engines.envoy_bootstrap import ADMIN, BOOTSTRAP, CDS, RDS, bootstrap
from strangler.rollout.engines.envoy_config import HELD, ROUTES, table_in

OLDEST = (1, 40)
"""Older ones are not tried."""
_HOLDS = f"{HELD}."
"""What the names of values begin with that stand for a held move each."""
_SECONDS = 10.0
_LONGEST_SOCKET = 107
_CLUSTERS = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
_ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"

_Json = dict[str, Any]


def prepare(directory: Path, *, listen: tuple[str, int], companions: Sequence[tuple[str, int]], monolith: str) -> Path:
    """Write what Envoy is started with (envoy -c), and where there are no routes yet, those to the monolith's URL.

    "companions" is where Python proxies listen for it. Raises EngineError before it writes anything.
    """
    first = RouteTable(default="monolith", upstreams=(Upstream(name="monolith", url=monolith),))
    carried = envoy_config.settled(first, name="Envoy", companion=False)
    made = bootstrap(directory=directory.resolve(), listen=listen, companions=companions)
    if len(str(directory.resolve() / ADMIN)) > _LONGEST_SOCKET:
        raise EngineError(f'the path "{directory}" is too long for a socket in it; take one of fewer characters')
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / RDS).exists():
        routes = envoy_config.routes(first, carried, salt=salt(directory), at="")
        _rename(directory / CDS, _response(_CLUSTERS, envoy_config.clusters(first).values())[1])
        _rename(directory / RDS, _response(_ROUTES, [routes])[1])
    _rename(directory / BOOTSTRAP, json.dumps(made, indent=1).encode())
    return directory / BOOTSTRAP


@dataclass(frozen=True, kw_only=True)
class EnvoyEngine(Accompanied):
    """An Envoy on this machine that was prepared in "directory", and the companions behind it."""

    directory: Path

    @property
    def name(self) -> str:
        return f'Envoy in "{self.directory}"'

    def apply(self, table: RouteTable) -> None:
        carried = envoy_config.settled(table, name=self.name, companion=bool(self.companions))
        if not self._has_companion and any(carried.needs):
            raise EngineError(
                f"{self.name} was prepared without the companion that the table needs; prepare it anew with "
                '"manage.py envoyconf ... --companion", and start it with that'
            )
        with self._alone(self.directory / "lock"):
            before = table_in(self._routes_in_force())
            if back := older(before, table):
                raise EngineError(f"{self.name} refused: {'; '.join(back)}")
            new = tuple(upstream for upstream in table.upstreams if upstream not in before.upstreams)
            resolved(new, self.name)
            refuse_itself(table.upstreams, self.name, self._listens)
            # First, since from the change of the routes on they are sent what the new table leaves to them.
            self._fleet.apply(table)
            # The clusters of the routes before stay until the next table: requests are on their way there.
            clusters = {**envoy_config.clusters(before), **envoy_config.clusters(table)}
            self._put(CDS, _CLUSTERS, clusters.values(), "cluster_manager.cds")
            made = envoy_config.routes(table, carried, salt=salt(self.directory), at=secrets.token_hex(8))
            self._put(RDS, _ROUTES, [made], f"http.{ROUTES}.rds.{ROUTES}")

    def observe(self) -> RouteTable:
        """Envoy's table; or that of a companion which is behind."""
        return self._fleet.hindmost(table_in(self._routes_in_force()))

    def hold(self, move: str, seconds: float) -> None:
        """The move's writes go to the companions anyway; meanwhile all others do, since they may meet its fence too."""
        with self._alone(self.directory / "lock"):
            self._ask(f"/runtime_modify?{HELD}=100&{_HOLDS}{move}=1", "POST")
        self._fleet.hold(move, seconds)

    def release(self, move: str) -> None:
        self._fleet.release(move)
        with self._alone(self.directory / "lock"):
            self._ask(f"/runtime_modify?{_HOLDS}{move}=", "POST")
            entries = json.loads(self._ask("/runtime"))["entries"]
            if not any(name.startswith(_HOLDS) for name in entries):
                self._ask(f"/runtime_modify?{HELD}=0", "POST")

    def _put(self, file: str, kind: str, resources: Iterable[_Json], stat: str) -> None:
        """Write a file and wait until Envoy works by it. Raises EngineError, with the old file in its place again."""
        path, now = self.directory / file, self._stats(stat)
        version, content = _response(kind, resources)
        if now["version_text"] == f'"{version}"':
            return
        before, refused, until = path.read_bytes(), now["update_rejected"], time.monotonic() + _SECONDS
        _rename(path, content)
        while now["version_text"] != f'"{version}"' or now["warming_clusters"] != "0":
            if now["update_rejected"] != refused or time.monotonic() > until:
                _rename(path, before)
                why = "its log says why" if now["update_rejected"] != refused else f"it does not read {path}"
                raise EngineError(f"{self.name} did not take the table ({why}); the one before goes on")
            time.sleep(0.002)
            now = self._stats(stat)

    def _routes_in_force(self) -> _Json:
        for found in self._dump("dynamic_route_configs"):
            if found.get("route_config", {}).get("name") == ROUTES:
                return dict(found["route_config"])
        raise EngineError(f"{self.name} has no routes; start it with its {BOOTSTRAP}")

    @property
    def _has_companion(self) -> bool:
        return bool(self._static.get("clusters"))

    @property
    def _listens(self) -> list[tuple[str, int]]:
        found = (listener["address"].get("socket_address", {}) for listener in self._static.get("listeners", ()))
        return [(each.get("address", ""), each.get("port_value", 0)) for each in found]

    @cached_property
    def _static(self) -> _Json:
        """What the Envoy that runs was started with and keeps. Raises EngineError where it is too old."""
        told = json.loads(self._ask("/config_dump"))["configs"]
        boot = next(found["bootstrap"] for found in told if "bootstrap" in found)
        version = boot["node"].get("user_agent_build_version", {}).get("version", {})
        found = (version.get("major_number", 0), version.get("minor_number", 0))
        if found < OLDEST:
            raise EngineError(f"{self.name} is of version {found}; it must be {OLDEST} or newer")
        return dict(boot["static_resources"])

    def _dump(self, resource: str) -> list[_Json]:
        return list(json.loads(self._ask(f"/config_dump?resource={resource}")).get("configs", ()))

    def _stats(self, of: str) -> dict[str, str]:
        """Some of what Envoy says of one of its subscriptions, by the last part of the names."""
        lines = self._ask(
            f"/stats?filter=^({re.escape(of)}|cluster_manager).(version_text|update_rejected|warming_clusters)$"
        )
        found = (line.partition(": ") for line in lines.decode().splitlines())
        return {name.rpartition(".")[2]: value for name, _, value in found}

    def _ask(self, path: str, method: str = "GET") -> bytes:
        connection = _Admin(self.directory / ADMIN)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, HTTPException) as error:
            raise EngineError(
                f"{self.name} does not answer ({type(error).__name__}); check that it runs, and who may use {ADMIN}"
            ) from error
        finally:
            connection.close()
        if answer.status != HTTPStatus.OK:
            raise EngineError(f"{self.name} answered {answer.status} to {path}; check its version")
        return said


def _response(kind: str, resources: Iterable[_Json]) -> tuple[str, bytes]:
    """(its version, a file of these resources)."""
    found = [{**resource, "@type": kind} for resource in resources]
    version = hashlib.sha256(json.dumps(found).encode()).hexdigest()[:20]
    return version, json.dumps({"version_info": version, "resources": found}).encode()


class _Admin(HTTPConnection):
    """A connection to an administrators' interface that is a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("envoy", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(str(self._path))


def _rename(path: Path, content: bytes) -> None:
    """Envoy looks at a file when it has been moved into the directory."""
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(content)
    draft.replace(path)
