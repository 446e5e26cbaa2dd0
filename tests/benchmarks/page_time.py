"""How long a page takes in Chromium, from the start of its loading until it is there and painted."""

import shutil
import subprocess
import tempfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

_SAY = b"""<script>addEventListener("load", () => requestAnimationFrame(() => setTimeout(() => {
  fetch("/opened", {method: "POST", body: String(performance.now())});
})));</script>"""
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE = 60


def browser():
    """The program, or None where there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def opened(page: Path) -> float:
    """Seconds until a page is loaded, its scripts have run, and it was painted. Raises TimeoutError."""
    # Its helpers write for a moment after it has ended.
    with (
        _Server(page.read_bytes() + _SAY) as server,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
    ):
        command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        address = f"http://127.0.0.1:{server.server_port}/"
        running = subprocess.Popen([*command, "--remote-debugging-port=0", address], stderr=subprocess.DEVNULL)
        try:
            while server.milliseconds is None:
                server.handle_request()
        finally:
            running.terminate()
            running.wait()
    return server.milliseconds / 1000


class _Server(HTTPServer):
    """Gives the page, and is told when it is there."""

    milliseconds = None
    timeout = _PATIENCE

    def __init__(self, page):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.page = page

    def handle_timeout(self):
        raise TimeoutError(f"the page was not there after {_PATIENCE} s")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.server.page)))
        self.end_headers()
        self.wfile.write(self.server.page)

    def do_POST(self):
        self.server.milliseconds = float(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        """Nobody reads along."""
