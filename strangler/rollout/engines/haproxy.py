"""HAProxy: it routes what is settled at its own speed, and leaves the rest to Python proxies, its companions.

All of its routes are in one map (haproxy_entries.py), which is replaced in one step; the process is never reloaded.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from strangler_proxy.cohorts import Cohorts
from strangler_proxy.routes import RouteTable, older

from strangler.rollout.engines import haproxy_entries
from strangler.rollout.engines.accompanied import Accompanied
from strangler.rollout.engines.addresses import refuse_itself, resolved
from strangler.rollout.engines.base import EngineError
from strangler.rollout.engines.haproxy_configuration import Layout, write_map
from strangler.rollout.engines.haproxy_entries import AT, COMPANION_BACKEND, HELD, HOLD, Entries
from strangler.rollout.engines.haproxy_socket import RuntimeSocket


@dataclass(frozen=True, kw_only=True)
class HaproxyEngine(Accompanied):
    """An HAProxy on this machine that runs with the configuration in "directory", and the companions behind it."""

    directory: Path

    @property
    def name(self) -> str:
        return f'HAProxy in "{self.directory}"'

    def apply(self, table: RouteTable) -> None:
        carried = haproxy_entries.settled(table, name=self.name, companion=bool(self.companions))
        addresses = resolved(table.upstreams, self.name)
        refuse_itself(table.upstreams, self.name, self._layout.listens)
        self._socket.check()
        backends = self._socket.backends()
        own = [upstream.name for upstream in table.upstreams if f"to_{upstream.name}" in backends]
        entries = haproxy_entries.entries(table, carried, addresses, own)
        if any(carried.needs) and COMPANION_BACKEND not in backends:
            raise EngineError(
                f"{self.name} was configured without the companion that the table needs; write its configuration "
                'anew with "manage.py haproxyconf ... --companion", and start it with that'
            )
        with self._alone(self._layout.lock):
            current = self._claimed(self._socket.entries(self._layout.map))
            if current is not None and (back := older(current, table)):
                raise EngineError(f"{self.name} refused: {'; '.join(back)}")
            # First, since from the commit on they are sent what the new table leaves to them.
            self._fleet.apply(table)
            entries[AT] = secrets.token_hex(8)
            self._socket.replace(self._layout.map, entries)
            write_map(self._layout, entries)

    def observe(self) -> RouteTable:
        """HAProxy's table; or that of a companion which is behind."""
        return self._fleet.hindmost(self._in_force())

    def hold(self, move: str, seconds: float) -> None:
        """The move's writes go to the companions anyway; meanwhile all others do, since they may meet its fence too.

        That ends with the release, or with the next table; if nobody releases, these go the longer way until then.
        """
        found = self._socket.entries(self._layout.map)
        for key in (f"{HELD}{move}", HOLD):
            if key not in found:
                self._socket.add(self._layout.map, key, "-")
        self._fleet.hold(move, seconds)

    def release(self, move: str) -> None:
        self._fleet.release(move)
        self._socket.remove(self._layout.map, f"{HELD}{move}")
        if not any(key.startswith(HELD) for key in self._socket.entries(self._layout.map)):
            self._socket.remove(self._layout.map, HOLD)

    def cohorts(self, move: str, version: tuple[int, int]) -> Cohorts:
        found = self._in_force().versions.get(move)
        if found != version:
            raise EngineError(f'{self.name} has version {found} of move "{move}", not {version}')
        return super().cohorts(move, version)

    @cached_property
    def _layout(self) -> Layout:
        return Layout(directory=self.directory)

    @cached_property
    def _socket(self) -> RuntimeSocket:
        return RuntimeSocket(path=self._layout.socket)

    @cached_property
    def _read(self) -> dict[str, RouteTable]:
        """The table of the last map that was read whole and found right, by what HAProxy showed."""
        return {}

    def _in_force(self) -> RouteTable:
        """The map is looked at each second, and 10,000 routes take half a second to read: only if something changed."""
        shown = self._socket.shown(self._layout.map)
        if (known := self._read.get(shown)) is not None:
            return known
        table = self._table_in(self._socket.entries(self._layout.map, shown))
        self._read.clear()
        self._read[shown] = table
        return table

    def _table_in(self, found: Entries) -> RouteTable:
        """What a whole map says. Raises EngineError where its routes are not those of its table."""
        try:
            table, addresses, own = haproxy_entries.read(found)
            carried = haproxy_entries.settled(table, name=self.name, companion=bool(self.companions))
            expected = haproxy_entries.entries(table, carried, addresses, own)
        except (ValueError, KeyError, TypeError) as error:
            raise self._altered() from error
        routes = {key: value for key, value in found.items() if key not in (AT, HOLD) and not key.startswith(HELD)}
        if routes != expected:
            raise self._altered()
        return table

    def _claimed(self, found: Entries) -> RouteTable | None:
        """The table that the map says it holds; None where it says none, so that there is none to be older than."""
        try:
            return haproxy_entries.read(found)[0]
        except (ValueError, KeyError, TypeError):
            return None

    def _altered(self) -> EngineError:
        return EngineError(
            f"the map of {self.name} was changed by somebody else and is no route table; send it anew with "
            '"manage.py publishroutes"'
        )
