"""A Chromium without a window, spoken to over its debugging pipe: what a person sees, and what keys do."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE = 30.0


@contextmanager
def a_browser() -> Iterator[Browser]:
    """A new one with an empty profile; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("there is no Chromium here; install the package chromium")
    # Its helpers write for a moment after it has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        (its_in, our_out), (our_in, its_out) = os.pipe(), os.pipe()

        def as_it_expects() -> None:
            # Above those that it reads and writes, so that neither is closed by the other's copy.
            low, high = (fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (its_in, its_out))
            os.dup2(low, 3)
            os.dup2(high, 4)

        running = subprocess.Popen(
            [
                *(program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"),
                *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
                *(f"--user-data-dir={profile}", "about:blank"),
            ],
            stderr=subprocess.DEVNULL,
            preexec_fn=as_it_expects,  # noqa: PLW1509 - between fork and exec it calls the system alone
            close_fds=False,
        )
        os.close(its_in)
        os.close(its_out)
        with os.fdopen(our_out, "wb", buffering=0) as out, os.fdopen(our_in, "rb", buffering=0) as given:
            try:
                yield Browser(out, given)
            finally:
                running.terminate()
                running.wait()


class Browser:
    """One page of it."""

    def __init__(self, out: Any, given: Any) -> None:
        self._out, self._given = out, given
        self._number, self._read, self._session = 0, b"", ""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._ask("Page.enable")

    def open(self, address: str) -> None:
        """Go there, and wait until it is loaded."""
        failed = self._ask("Page.navigate", url=address).get("errorText")
        assert not failed, f"{address}: {failed}"
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """What an expression comes to, as JSON has it; promises are waited for."""
        found = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + _PATIENCE
        while not self.run(script):
            assert time.monotonic() < deadline, f"never: {script}"
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """A key, such as "Tab" or "Enter"."""
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        text = {"Enter": "\r", " ": " "}.get(key, "")
        facts = {"key": key, "windowsVirtualKeyCode": codes[key], "text": text}
        self._ask("Input.dispatchKeyEvent", type="keyDown", **facts)
        self._ask("Input.dispatchKeyEvent", type="keyUp", **facts)

    def type(self, text: str) -> None:
        """Where the focus is."""
        self._ask("Input.insertText", text=text)

    def look(self, *, dark: bool = False, width: int = 1280) -> None:
        """In this scheme, on a screen of this width."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)

    def without_scripts(self) -> None:
        """As in a browser whose owner has turned them off."""
        self._ask("Emulation.setScriptExecutionDisabled", value=True)

    def picture(self, path: Path, height: int | None = None) -> None:
        """The whole page, or so much of its top, as WebP."""
        width, whole = self.run("[innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": min(whole, height or whole), "scale": 1}
        given = {"format": "webp", "quality": 80, "clip": clip}
        found = self._ask("Page.captureScreenshot", captureBeyondViewport=True, **given)
        path.write_bytes(base64.b64decode(found["data"]))

    def _ask(self, method: str, **params: object) -> dict[str, Any]:
        self._number += 1
        asked = {"id": self._number, "method": method, "params": params}
        if self._session:
            asked["sessionId"] = self._session
        self._out.write(json.dumps(asked).encode() + b"\0")
        while True:
            answer = json.loads(self._next())
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def _next(self) -> bytes:
        while b"\0" not in self._read:
            more = self._given.read(1 << 16)
            assert more, "the browser has ended"
            self._read += more
        message, _, self._read = self._read.partition(b"\0")
        return message
