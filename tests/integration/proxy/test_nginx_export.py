"""The exported configuration in a real nginx: the cases of live engines are played on it, and its limits named."""

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from strangler_proxy.routes import RouteTable, Upstream

from strangler.deploy.ports import free_port
from strangler.rollout.engines.base import EngineError, NotCarried
from strangler.rollout.exports.nginx import nginx
from tests.conformance.case import NAMES
from tests.conformance.cases import by_feature
from tests.conformance.engines import Companion, companion
from tests.conformance.run import run
from tests.conformance.stage import Stage
from tests.conformance.upstream import RecordingUpstream
from tests.unit.strangler.rollout.test_compiling import move

MAIN = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 500; }
http {
    access_log off;
    include routes.conf;
}
"""
LIMITS = {
    "precedence and backtracking": "none",
    "segment boundaries and queries": "none",
    "methods": "none",
    "redirects": "none",
    "identity": "none",
    "the proxy's own paths": "none",
    "ambiguous requests": "none",
    "keep-alive": "none",
    # nginx answers 400 to what it cannot decode, or what leads above the root.
    "percent-encoding": r".* /(api/reviews/?%00/?|shop/%(zz|2)?/special/) goes to .*",
    "dot and empty segments": r".* /\.\./api/reviews/ goes to .*",
    # It drops odd names of fields, and cannot take out all that begin with "Strangler-", but those that exist.
    "headers of requests": r"what only the proxy may say: .* of headers_final|an odd name: .*",
    "headers of answers": r"(what is inside of us|the same with underscores): .* of headers_final",
}


@dataclass
class Exported:
    """nginx as an engine, for these tests alone: it is started anew with every table."""

    directory: Path
    port: int
    behind: Companion
    process: subprocess.Popen | None = None

    def apply(self, table):
        host, _, port = self.behind.address.partition(":")
        text = nginx(table, listen=f"127.0.0.1:{self.port}", companions=[(host, int(port))])
        (self.directory / "routes.conf").write_text(text)
        self.behind.engine.apply(table)
        self.stop()
        self.process = subprocess.Popen(["nginx", "-p", self.directory, "-c", "nginx.conf"])
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/-/", trust_env=False, verify=False)
            except httpx.HTTPError:
                time.sleep(0.01)
            else:
                return
        raise EngineError("nginx does not answer")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    directory = tmp_path_factory.mktemp("nginx")
    (directory / "nginx.conf").write_text(MAIN)
    upstreams = {name: RecordingUpstream(name) for name in NAMES if name != "nobody"}
    with companion(directory, f"http://127.0.0.1:{upstreams['monolith'].port}") as behind:
        engine = Exported(directory=directory, port=free_port(), behind=behind)
        try:
            yield Stage(engine=engine, port=engine.port, upstreams=upstreams, nobody=free_port())
        finally:
            engine.stop()
            for upstream in upstreams.values():
                upstream.close()


@pytest.mark.parametrize("feature", LIMITS)
def test_nginx_does_what_the_cases_say_but_for_its_limits(feature, stage):
    cases = by_feature()[feature]
    wrong = {outcome.case.name: str(outcome) for outcome in run(stage, cases) if outcome.wrong or outcome.refused}
    assert [said for name, said in wrong.items() if not re.fullmatch(LIMITS[feature], name)] == []
    assert set(wrong) == {case.name for case in cases if re.fullmatch(LIMITS[feature], case.name)}


def test_what_is_not_settled_is_refused_without_a_companion():
    upstreams = (Upstream(name="monolith", url="http://127.0.0.1:8001"), Upstream(name="orders", url="http://a:80"))
    table = RouteTable(default="monolith", upstreams=upstreams, moves=(move(),))
    with pytest.raises(NotCarried, match=r'nginx does not do by itself what the route "/api/reviews/" of move'):
        nginx(table, listen="80")
    final = RouteTable(
        default="monolith", upstreams=upstreams, moves=(move(owner="orders", candidate="monolith", final=True),)
    )
    assert "companion" not in nginx(final, listen="80").partition("map")[0]
