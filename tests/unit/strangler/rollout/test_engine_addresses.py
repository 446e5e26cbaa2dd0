"""An engine's own addresses among those of upstreams."""

import socket

import pytest
from strangler_proxy.routes import Upstream

from strangler.rollout.engines.addresses import refuse_itself
from strangler.rollout.engines.base import EngineError
from strangler.rollout.engines.haproxy_configuration import bound


@pytest.mark.parametrize("where", ["", "*", "0.0.0.0", "127.0.0.1", "localhost"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_upstream_that_is_the_engine_is_refused(where, host):
    with pytest.raises(EngineError, match=r'upstream "u" \(http://.*:8000\) is HAProxy itself'):
        refuse_itself([Upstream(name="u", url=f"http://{host}:8000")], "HAProxy", [("10.0.0.1", 1), (where, 8000)])


def test_an_address_of_this_machine_is_the_engine_where_it_listens_on_all():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address of its own")
        own = probe.getsockname()[0]
    with pytest.raises(EngineError, match="is Envoy itself"):
        refuse_itself([Upstream(name="u", url=f"http://{own}:8000")], "Envoy", [("0.0.0.0", 8000)])


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://127.0.0.1:8001", ""),
        ("http://127.0.0.2:8000", "127.0.0.1"),
        ("http://192.0.2.1:8000", "0.0.0.0"),
        ("http://no.such.host.invalid:8000", ""),
    ],
)
def test_another_server_is_none(url, where):
    refuse_itself([Upstream(name="u", url=url)], "HAProxy", [(where, 8000)])


def test_the_lines_of_a_configuration_say_where_haproxy_listens():
    lines = (
        "    bind :8000\n    bind 10.0.0.1:443 ssl crt x\n    bind *:81\n    bind [::1]:82,:83\n  # bind :1\n bind /s\n"
    )
    assert bound(lines) == [("", 8000), ("10.0.0.1", 443), ("*", 81), ("::1", 82)]
