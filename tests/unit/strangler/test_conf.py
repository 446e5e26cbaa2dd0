"""The project's settings of the toolkit."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from strangler_proxy.gateway import Gateway

from strangler.conf import Proxy, configuration


def test_an_unknown_key_is_named(settings):
    settings.STRANGLER = {"PLAN": "typo"}
    with pytest.raises(ImproperlyConfigured, match='unknown key "PLAN"'):
        configuration()


def test_an_unknown_service_is_named_with_the_known_ones(settings):
    settings.STRANGLER = {"SERVICES": {"reviews": {"DSN": "postgresql:///x", "UPSTREAM": "http://127.0.0.1:1"}}}
    with pytest.raises(ImproperlyConfigured, match=r'no service "orders" \(known: reviews\)'):
        configuration().service("orders")


def test_a_project_without_settings_gets_the_defaults(settings, tmp_path, monkeypatch):
    del settings.STRANGLER
    monkeypatch.chdir(tmp_path)
    assert configuration().plans == configuration().records == tmp_path / "migration_plans"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"WORKER": 2}, 'STRANGLER."COPY". has an unknown key "WORKER"; it knows APP, LOG_LIMIT, QUEUE'),
        ({"WORKERS": 2}, 'asks for WORKERS; name their Celery application in "APP"'),
        ({"ROWS_PER_SECOND": 0}, r'"ROWS_PER_SECOND"\] is 0; give more than 0, or leave it out'),
    ],
)
def test_what_a_copy_may_take_is_checked(settings, given, sentence):
    settings.STRANGLER = {"COPY": given}
    with pytest.raises(ImproperlyConfigured, match=sentence):
        configuration()


def test_another_capture_than_the_two_is_refused(settings):
    settings.STRANGLER = {"CAPTURE": "wal"}
    with pytest.raises(ImproperlyConfigured, match='is "wal"; write "triggers" or "log"'):
        configuration()


POLICIES = Gateway(revision=7)


def test_the_gateway_is_found_by_its_dotted_path(settings):
    assert configuration().gateway.revision == 0
    settings.STRANGLER = {"GATEWAY": f"{__name__}.POLICIES"}
    assert configuration().gateway is POLICIES


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("nowhere.POLICIES", r"which is no gateway \(No module"), ("pathlib.Path", "which is a type; name a")],
)
def test_what_is_no_gateway_is_refused(settings, path, sentence):
    settings.STRANGLER = {"GATEWAY": path}
    with pytest.raises(ImproperlyConfigured, match=sentence):
        configuration()


def test_a_document_is_a_path_of_its_server_or_a_file(settings):
    settings.STRANGLER = {"OPENAPI": {"monolith": "/api/schema/", "reviews": "file:docs/reviews.json"}}
    assert configuration().openapi["reviews"] == "file:docs/reviews.json"
    settings.STRANGLER = {"OPENAPI": {"monolith": "http://elsewhere/"}}
    with pytest.raises(ImproperlyConfigured, match="write a path of that server"):
        configuration()


def test_proxies_are_urls_or_name_their_engine(settings):
    directory = {"ENGINE": "haproxy", "DIRECTORY": "/srv/haproxy", "COMPANIONS": ["http://127.0.0.1:8011"]}
    settings.STRANGLER = {"PROXIES": ["http://127.0.0.1:8000", directory, {"ENGINE": "envoy", "DIRECTORY": "/e"}]}
    assert configuration().proxies == (
        Proxy(engine="mitmproxy", where="http://127.0.0.1:8000"),
        Proxy(engine="haproxy", where="/srv/haproxy", companions=("http://127.0.0.1:8011",)),
        Proxy(engine="envoy", where="/e"),
    )


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([{"ENGINE": "squid"}], r"has the entry .'ENGINE': 'squid'.; write the URL of a Python proxy, or"),
        ([7], "has the entry 7; write the URL"),
        ([{"ENGINE": "haproxy"}], 'has an entry of haproxy without its "DIRECTORY"; add that'),
        ([{"ENGINE": "haproxy", "DIRECTORY": "/x", "SOCKET": "y"}], 'unknown key "SOCKET" in the entry of haproxy'),
        (
            ["http://a:1", {"ENGINE": "haproxy", "DIRECTORY": "/x", "COMPANIONS": ["http://a:1"]}],
            'names "http://a:1" twice; give each proxy its own companions',
        ),
    ],
)
def test_a_proxy_that_cannot_be_reached_so_is_refused(settings, entries, sentence):
    settings.STRANGLER = {"PROXIES": entries}
    with pytest.raises(ImproperlyConfigured, match=sentence):
        configuration()
