"""OpenAPI documents of services, from files and from servers that do and do not give them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from strangler_proxy.routes import RouteTable, Upstream

from strangler.rollout.documents import DocumentError, documents

DOCUMENT = {"openapi": "3.0.3", "info": {}, "paths": {"/x/": {}}}


@pytest.fixture(scope="module")
def url():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = {"/schema/": json.dumps(DOCUMENT), "/text/": "no JSON", "/other/": '{"swagger": "2.0"}'}
            wants_json = "application/vnd.oai.openapi+json" in self.headers["Accept"]
            self.send_response(200 if self.path in known and wants_json else 404)
            self.end_headers()
            self.wfile.write(known.get(self.path, "").encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def table(url):
    return RouteTable(default="monolith", upstreams=(Upstream(name="monolith", url=url),))


def test_documents_come_from_servers_and_from_files(url, tmp_path):
    (tmp_path / "api.json").write_text(json.dumps(DOCUMENT))
    assert documents({"monolith": "/schema/"}, table(url), tmp_path) == {"monolith": DOCUMENT}
    assert documents({"monolith": "file:api.json"}, table(url), tmp_path) == {"monolith": DOCUMENT}


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"reviews": "/schema/"}, '"reviews", which is no upstream of the table; they are monolith'),
        ({"monolith": "/nothing/"}, '"monolith" answers 404'),
        ({"monolith": "/text/"}, "cannot be taken: Expecting value"),
        ({"monolith": "/other/"}, "none of version 3"),
        ({"monolith": "file:nothing.json"}, "cannot be read"),
    ],
)
def test_what_gives_no_document_is_named(url, tmp_path, where, message):
    with pytest.raises(DocumentError, match=message):
        documents(where, table(url), tmp_path)


def test_a_server_that_is_away_is_named(tmp_path):
    with pytest.raises(DocumentError, match='"monolith" does not give its document'):
        documents({"monolith": "/schema/"}, table("http://127.0.0.1:1"), tmp_path)
