"""The directory that HAProxy runs from: its configuration, written once, and its routes, which change while it runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from strangler_proxy.routes import RouteTable, Upstream

from strangler.rollout.engines import haproxy_entries
from strangler.rollout.engines.accompanied import salt
from strangler.rollout.engines.addresses import refuse_itself, resolved
from strangler.rollout.engines.base import EngineError
from strangler.rollout.engines.haproxy_entries import COMPANION_BACKEND, TO_COMPANION

_TO_ANOTHER = "    balance source\n    retries 2\n    option redispatch 1\n    retry-on conn-failure empty-response\n"
_BIND = re.compile(r"^\s*bind\s+(?:ipv[46]@)?\[?([^\s,]*?)\]?:(\d+)(?=[\s,]|$)", re.MULTILINE)
_ADDRESS = re.compile(r"[A-Za-z0-9_.:*\[\]-]*:[0-9]{1,5}")
_LONGEST_SOCKET = 100
"""HAProxy binds a longer name first, which it then gives the right one; a socket's may have 107 characters."""
_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What lies where."""

    directory: Path

    @property
    def configuration(self) -> Path:
        return self.directory / "haproxy.cfg"

    @property
    def lua(self) -> Path:
        return self.directory / "strangler.lua"

    @property
    def map(self) -> Path:
        return self.directory / "routes.map"

    @property
    def socket(self) -> Path:
        return self.directory / "admin.sock"

    @property
    def lock(self) -> Path:
        return self.directory / "routes.lock"

    @property
    def listens(self) -> list[tuple[str, int]]:
        """Where clients come, as the configuration says; nowhere without one."""
        try:
            return bound(self.configuration.read_text())
        except FileNotFoundError:
            return []


def write(directory: Path, *, bind: str, companions: Sequence[str], monolith: str) -> Layout:
    """Write all that HAProxy starts from; routes that are there already stay. Raises EngineError before it writes.

    "bind" is where clients come, "companions" are addresses like "127.0.0.1:8010" at which the Python proxies listen
    for it, "monolith" is the URL to which everything goes until the first table is applied.
    """
    layout = Layout(directory=directory.resolve())
    _check(layout, [bind, *companions])
    table = RouteTable(default="monolith", upstreams=(Upstream(name="monolith", url=monolith),))
    carried = haproxy_entries.settled(table, name="HAProxy", companion=False)
    refuse_itself(table.upstreams, "HAProxy", bound(f"bind {bind}"))
    routes = haproxy_entries.entries(table, carried, resolved(table.upstreams, "HAProxy"))
    try:
        layout.directory.mkdir(parents=True, exist_ok=True)
        layout.configuration.write_text(configuration(layout, bind=bind, companions=companions))
        layout.lua.write_text((_HERE / "haproxy.lua").read_text())
        if not layout.map.exists():
            write_map(layout, routes)
    except OSError as error:
        raise EngineError(f'"{error.filename}" cannot be written ({error.strerror}); name another directory') from error
    return layout


def configuration(layout: Layout, *, bind: str, companions: Sequence[str]) -> str:
    """The text of haproxy.cfg."""
    servers = "\n".join(f"    server companion{number} {address}" for number, address in enumerate(companions, 1))
    backend = f"backend {COMPANION_BACKEND} from strangler\n{_TO_ANOTHER}{servers}\n" if companions else ""
    own = salt(layout.directory)
    text = Template((_HERE / "haproxy.cfg").read_text())
    return text.substitute(
        socket=layout.socket,
        lua=layout.lua,
        map=layout.map,
        bind=bind,
        to_companion=TO_COMPANION,
        trace=f"{own[:7]}-{own[7:23]}",
        companion=backend,
    )


def bound(configuration: str) -> list[tuple[str, int]]:
    """The addresses and ports of its "bind" lines."""
    return [(host, int(port)) for host, port in _BIND.findall(configuration)]


def write_map(layout: Layout, entries: Mapping[str, str]) -> None:
    """Have HAProxy begin with these routes when it is started anew."""
    draft = layout.map.with_suffix(".new")
    with draft.open("w", encoding="utf-8") as out:
        out.writelines(f"{key} {value}\n" for key, value in entries.items())
        out.flush()
        os.fsync(out.fileno())
    draft.replace(layout.map)


def _check(layout: Layout, addresses: Iterable[str]) -> None:
    if len(str(layout.socket)) > _LONGEST_SOCKET:
        raise EngineError(f'the path "{layout.socket}" is too long for a socket; name a directory with a shorter one')
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise EngineError(f'"{address}" is no address for HAProxy; write 127.0.0.1:8000, say')
