"""The proxy with one guard taken away at a time: the fuzzer must notice each."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.engines import ROOT


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """What stands in a file of the proxy, and what stands there instead."""

    file: str
    guard: str
    without: str

    def make(self, folder: Path) -> Path:
        """The proxy's package without the guard, in the folder. Raises ValueError where the guard is not there."""
        package = folder / "strangler_proxy"
        shutil.copytree(ROOT / "proxy/strangler_proxy", package, ignore=shutil.ignore_patterns("__pycache__"))
        text = (package / self.file).read_text()
        if text.count(self.guard) != 1:
            raise ValueError(f'"{self.file}" does not have "{self.guard}" once; write the mutant anew')
        (package / self.file).write_text(text.replace(self.guard, self.without))
        return folder


MUTANTS: Mapping[str, Mutant] = {
    "clients speak as the proxy": Mutant(
        file="forwarding.py", guard="and not name.startswith(_OURS) and", without="and"
    ),
    "names with underscores go on": Mutant(file="forwarding.py", guard='b"_" not in name and ', without=""),
    "options of Connection go on": Mutant(
        file="hops.py",
        guard='    return [*kept, (b"Connection", b", ".join(told))] if told else kept',
        without='    return [*kept, *((b"Connection", value) for value in said.get(b"connection", ()))]',
    ),
    "mitmproxy reads headers alone": Mutant(
        file="http1.py",
        guard="wrong = heads.request(begin)",
        without='wrong = None if b"\\n\\n" in begin.replace(b"\\r", b"") else heads.Incomplete()',
    ),
    "lengths stand beside chunks": Mutant(
        file="listener.py", guard='"validate_inbound_headers": True', without='"validate_inbound_headers": False'
    ),
    "paths are decoded twice": Mutant(
        file="patterns.py", guard="[unquote(part) for", without="[unquote(unquote(part)) for"
    ),
    "writes go where reads do": Mutant(
        file="routes.py", guard="if method.upper() not in SAFE_METHODS:", without='if method == "PUT":'
    ),
}
