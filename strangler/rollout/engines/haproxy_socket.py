"""HAProxy's runtime socket: commands, and the map that is changed with them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from strangler.rollout.engines.base import EngineError

OLDEST = (2, 6)
_SECONDS = 10.0
_PAYLOAD = 10_000
"""Bytes of a command's lines, well within HAProxy's buffer of 16 kB."""


@dataclass(frozen=True, kw_only=True)
class RuntimeSocket:
    """The administrator's socket at "path"; every method raises EngineError with one sentence."""

    path: Path

    def check(self) -> None:
        """That an HAProxy answers which is new enough."""
        found = re.search(r"^Version: (\d+)\.(\d+)", self._ask("show info"), re.MULTILINE)
        if found is None:
            raise EngineError(f'what answers at "{self.path}" is no HAProxy')
        if (int(found[1]), int(found[2])) < OLDEST:
            raise EngineError(
                f'the HAProxy at "{self.path}" is {found[1]}.{found[2]}; its maps are replaced in one step from '
                f"{OLDEST[0]}.{OLDEST[1]} on, so install a newer one"
            )

    def backends(self) -> list[str]:
        """The names of all backends."""
        return [line for line in self._ask("show backend").splitlines() if line and not line.startswith("#")]

    def shown(self, map_file: Path) -> str:
        """What a map holds now, in HAProxy's own words; the same as long as nothing of it has changed."""
        return self._ask(f"show map {map_file}")

    def entries(self, map_file: Path, shown: str | None = None) -> dict[str, str]:
        """What a map holds now, or held when it was "shown"."""
        lines = (self.shown(map_file) if shown is None else shown).splitlines()
        parts = (line.split(" ", 2) for line in lines if line)
        try:
            return {key: value for _, key, value in parts}
        except ValueError as error:
            raise EngineError(f'the HAProxy at "{self.path}" has no map "{map_file}": {" ".join(lines)}') from error

    def replace(self, map_file: Path, entries: Mapping[str, str]) -> None:
        """Have the map hold these entries in place of its own, in one step, or keep its own."""
        said = self._ask(f"prepare map {map_file}")
        version = re.search(r"New version created: (\d+)", said)
        if version is None:
            raise EngineError(f'the HAProxy at "{self.path}" prepares no map "{map_file}": {said.strip()}')
        try:
            for payload in _payloads(entries):
                self._do(f"add map @{version[1]} {map_file} <<\n{payload}")
            self._do(f"commit map @{version[1]} {map_file}")
        except EngineError:
            self._ask(f"clear map @{version[1]} {map_file}")
            raise

    def add(self, map_file: Path, key: str, value: str) -> None:
        """Have the map hold one entry more."""
        self._do(f"add map {map_file} {key} {value}")

    def remove(self, map_file: Path, key: str) -> None:
        """Have the map hold the key no more; nothing where it does not."""
        self._ask(f"del map {map_file} {key}")

    def _do(self, command: str) -> None:
        if said := self._ask(command).strip():
            raise EngineError(f'the HAProxy at "{self.path}" refused "{command.splitlines()[0]}": {said}')

    def _ask(self, command: str) -> str:
        try:
            with socket.socket(socket.AF_UNIX) as asked:
                asked.settimeout(_SECONDS)
                asked.connect(str(self.path))
                asked.sendall(command.encode() + b"\n")
                answer = b"".join(iter(lambda: asked.recv(1 << 16), b""))
        except OSError as error:
            raise EngineError(
                f'no HAProxy answers at "{self.path}" ({error.strerror or error}); check that it runs with the '
                "configuration in that directory"
            ) from error
        return answer.decode("utf-8", "replace")


def _payloads(entries: Mapping[str, str]) -> Iterator[str]:
    payload = ""
    for key, value in entries.items():
        line = f"{key} {value}\n"
        if payload and len(payload) + len(line) > _PAYLOAD:
            yield payload
            payload = ""
        payload += line
    yield payload
