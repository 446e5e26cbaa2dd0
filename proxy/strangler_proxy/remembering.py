"""Files that are either the old or the new one, whenever the machine stops."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from strangler_proxy import metrics

EVERY = 5.0
"""Seconds of counting that a process may lose that is killed."""


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Put the object there as JSON. Raises OSError, and the old file is there then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    with draft.open("w", encoding="utf-8") as out:
        json.dump(content, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)


async def keep(path: Path, changed: Callable[[], Mapping[str, Any] | None], stopped: asyncio.Event) -> None:
    """Put what "changed" gives there, now and then and at the end; None where it is as it was.

    Raises OSError at the end alone; until then it is tried again, and counted.
    """
    content: Mapping[str, Any] | None = None
    while True:
        try:
            async with asyncio.timeout(EVERY):
                await stopped.wait()
        except TimeoutError:
            pass
        content = changed() or content
        if content is not None:
            try:
                await asyncio.to_thread(write, path, content)
                content = None
            except OSError:
                metrics.UNWRITTEN.inc()
                if stopped.is_set():
                    raise
        if stopped.is_set():
            return
