"""One copy of a service, at the port it is given: `one_copy.py PORT VERSION`. Version 3 never gets ready."""

import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = sys.argv[2]
WARM_AFTER = 3
"""It loads something, and is asked so often meanwhile whether it is ready."""
looks = 0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        global looks  # noqa: PLW0603
        ready = looks >= WARM_AFTER and VERSION != "3"
        if self.path == "/health/ready/":
            looks += 1
        if self.path == "/slow/":
            self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")  # it has begun
            time.sleep(0.3)
        elif self.path != "/health/" and not ready:
            self.send_error(503)
            return
        else:
            self.send_response(200)
            self.end_headers()
        self.wfile.write(VERSION.encode())

    def log_message(self, template, *values):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False  # what has begun is finished
    block_on_close = True


server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print("listening", flush=True)
server.serve_forever(0.01)
server.server_close()
