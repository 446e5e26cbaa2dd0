"""`python -m strangler.workshop.aws --port 8007`: an AWS on 127.0.0.1, with what Orchard needs of it already made.

Clients need AWS's own settings alone: AWS_ENDPOINT_URL, AWS_DEFAULT_REGION, and any credentials.

GET  /mailbox/      the mails that were sent, as a page; /mailbox/7/ one of them
GET  /mailbox.json  all of them for programs; /mailbox/7.json one of them
PUT  /behaviour     {"service": "ses", "status": 503, "delay": 0, "lost": false, "times": 3}; see behaviour.py
GET  /health        {"status": "ok"}; 503 as long as something is still to be made
"""

from __future__ import annotations

import argparse
import logging
import threading

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from strangler.workshop.aws.arrangement import arrange
from strangler.workshop.aws.backend import Backend
from strangler.workshop.aws.front import Front


def main() -> None:
    parser = argparse.ArgumentParser(description="An AWS that sends no mail to anybody.")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    front = Front(Backend())
    server = make_server("127.0.0.1", port, front, threaded=True, request_handler=MotoRequestHandler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        arrange(f"http://127.0.0.1:{port}")
    except BaseException:
        server.shutdown()
        raise
    front.ready = True
    serving.join()


if __name__ == "__main__":
    main()
