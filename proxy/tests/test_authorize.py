"""Who is let through, over real sockets; which tokens are good is tested in test_tokens.py."""

import base64
import json

import pytest
from issuers import ISSUER, Issuer
from strangler_proxy.steps.authorizing import private
from world import Proxy, Said, Server, eventually, table

SESSIONS = {"sessionid=ann": ("7", False), "sessionid=bob": ("8", True)}


def identity(request):
    """The monolith's word on who somebody is: a token, of which the proxy reads the claims."""
    known = SESSIONS.get(request.headers.get("Cookie", ""))
    if request.headers.get("Cookie") == "sessionid=broken":
        return Said(status=500)
    if known is None:
        return Said(status=204)
    claims = {"sub": known[0], "staff": known[1], "aud": request.path.partition("=")[2]}
    token = "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".x"
    return Said(body=json.dumps({"token": token, "expires_in": 60}).encode())


class Gate:
    """One proxy for all tests of this file, before a monolith, a service and an issuer."""

    def __init__(self, home):
        self.issuer, self.monolith, self.reviews, self.keys = (
            Issuer(),
            Server("monolith"),
            Server("reviews"),
            Server("k"),
        )
        self.monolith.answer = self.answer
        self.keys.answer = lambda request: Said(body=self.issuer.read(""))
        self.headers = []
        self.proxy = Proxy(state=home / "routes.json", monolith=self.monolith.url)
        self.proxy.start()
        self.revision = 0

    def answer(self, request):
        if request.path.startswith("/.strangler/identity"):
            return identity(request)
        return Said(body=b"monolith", headers=self.headers)

    def tokens(self, **terms):
        return {
            "issuer": ISSUER,
            "audience": ["shop"],
            "keys": self.keys.url + "/keys.json",
            "algorithms": ["ES256"],
            **terms,
        }

    def policies(self, *policies):
        self.revision += 1
        offered = table(self.monolith, self.reviews, owner="reviews", candidate="monolith", identity=True)
        offered["gateway"] = {"revision": self.revision, "policies": list(policies)}
        status, body = self.proxy.operate("PUT", "/-/table", offered)
        assert status == 200, body
        self.monolith.heard.clear()
        self.reviews.heard.clear()

    def ask(self, path="/api/", method="GET", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.proxy.ask(method, path, headers=named)

    def bearer(self, **claims):
        return f"Bearer {self.issuer.token(**claims)}"

    def close(self):
        self.proxy.stop()
        for server in (self.monolith, self.reviews, self.keys):
            server.close()


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    opened = Gate(tmp_path_factory.mktemp("gate"))
    yield opened
    opened.close()


def test_without_a_good_token_nothing_gets_through_and_the_client_is_told_how(gate):
    gate.policies({"path": "/api/", "authorize": {"tokens": [gate.tokens()]}})
    status, body, headers = gate.ask()
    assert (status, json.loads(body)) == (401, {"detail": "say who you are"})
    assert headers["WWW-Authenticate"] == 'Bearer realm="/api/"'
    assert headers["Cache-Control"] == "no-store"
    status, body, headers = gate.ask(Authorization=gate.bearer(exp=1))
    assert (status, json.loads(body)) == (401, {"detail": "the token has expired"})
    assert headers["WWW-Authenticate"] == 'Bearer realm="/api/", error="invalid_token"'
    assert gate.ask(Authorization="Basic YTpi")[0] == 401
    assert gate.ask(method="POST", path="/api/reviews/", Cookie="sessionid=bob")[0] == 401
    assert not gate.monolith.heard
    assert not gate.reviews.heard
    assert gate.ask("/elsewhere/")[0] == 200
    assert b'strangler_denied_total{policy="/api/",status="401"} 4.0' in gate.proxy.operate("GET", "/-/metrics")[1]


def test_upstreams_are_told_who_it_is_and_nobody_says_it_himself(gate):
    gate.policies({"path": "/api/", "authorize": {"tokens": [gate.tokens()]}})
    forged = {"Strangler-Subject": "root", "Strangler_Subject": "root", "Strangler-Scopes": "all"}
    given = gate.bearer(sub="Ann Ö\r\n", scope="read write")
    assert gate.proxy.ask("GET", "/api/", headers={"Authorization": given, **forged})[0] == 200
    (heard,) = gate.monolith.heard
    ours = {name: value for name, value in heard.headers.items() if name.lower().startswith("strangler")}
    assert ours == {
        "Strangler-Way": "token",
        "Strangler-Subject": "Ann%20%C3%96%0D%0A",
        "Strangler-Issuer": "https://issuer.example",
        "Strangler-Scopes": "read write",
    }
    assert gate.proxy.ask("GET", "/elsewhere/", headers={"Authorization": given, **forged})[0] == 200
    assert not any("strangler" in name.lower() for name in gate.monolith.heard_at("/elsewhere/")[0].headers)
    gate.ask("/api/reviews/", Authorization=given)
    (heard,) = gate.reviews.heard  # which never sees the client's own credentials
    assert heard.headers["Strangler-Subject"] == "Ann%20%C3%96%0D%0A"
    assert heard.headers["Authorization"] is None


def test_a_token_that_is_not_enough_is_forbidden_and_says_what_is(gate):
    terms = gate.tokens(scopes=["write"], claims={"tenant": "x"})
    gate.policies({"path": "/api/", "authorize": {"tokens": [terms]}})
    status, _, headers = gate.ask(Authorization=gate.bearer(scope="read"))
    assert status == 403
    assert headers["WWW-Authenticate"] == 'Bearer realm="/api/", error="insufficient_scope", scope="write"'
    status, _, headers = gate.ask(Authorization=gate.bearer(scope="write", tenant="y"))
    assert (status, headers["WWW-Authenticate"]) == (403, None)
    assert gate.ask(Authorization=gate.bearer(scope="write", tenant="x"))[0] == 200


def test_a_session_of_the_monolith_becomes_an_identity_and_some_paths_are_for_the_staff(gate):
    gate.policies(
        {"path": "/api/", "authorize": {"session": {}}},
        {"path": "/api/admin/", "authorize": {"session": {"staff": True}}},
    )
    assert [gate.ask(Cookie=cookie)[0] for cookie in ("sessionid=ann", "sessionid=eve")] == [200, 401]
    status, _, headers = gate.ask()
    assert (status, headers["WWW-Authenticate"]) == (401, 'Session realm="/api/"')
    assert gate.monolith.heard_at("/api/")[0].headers["Strangler-Subject"] == "7"
    for cookie, expected in (("sessionid=ann", 403), ("sessionid=bob", 200), ("sessionid=eve", 401)):
        assert gate.ask("/api/admin/", Cookie=cookie)[0] == expected
    assert gate.ask("/api/reviews/", Cookie="sessionid=ann")[0] == 200
    assert gate.reviews.heard[0].headers["Strangler-Identity"]
    assert gate.reviews.heard[0].headers["Cookie"] is None


def test_while_the_monolith_does_not_say_who_it_is_nobody_gets_through(gate):
    gate.policies({"path": "/api/", "authorize": {"session": {}, "anonymous": True}})
    status, _, headers = gate.ask(Cookie="sessionid=broken")
    assert (status, headers["Retry-After"], headers["Cache-Control"]) == (503, "1", "no-store")
    assert not gate.monolith.heard_at("/api/")


def test_what_is_shown_decides_where_several_ways_are_accepted(gate):
    gate.policies({"path": "/api/", "authorize": {"tokens": [gate.tokens()], "session": {}}})
    assert gate.ask(Cookie="sessionid=ann")[0] == 200
    assert gate.ask(Authorization=gate.bearer())[0] == 200
    assert gate.ask(Cookie="sessionid=ann", Authorization=gate.bearer(exp=1))[0] == 401
    assert gate.ask()[2]["WWW-Authenticate"] == 'Bearer realm="/api/", Session realm="/api/"'


def test_who_shows_nothing_may_pass_where_the_policy_says_so_and_a_bad_token_is_still_refused(gate):
    gate.policies({"path": "/api/", "authorize": {"tokens": [gate.tokens()], "anonymous": True}})
    assert [gate.ask()[0], gate.ask(Authorization=gate.bearer())[0]] == [200, 200]
    assert gate.ask(Authorization="Bearer x")[0] == 401
    assert [heard.headers["Strangler-Subject"] for heard in gate.monolith.heard] == [None, "ann"]


def test_all_is_denied_but_what_is_opened(gate):
    gate.policies(
        {"path": "/", "authorize": {}},
        {"path": "/shop/", "without": ["authorize"]},
        {"path": "/api/", "methods": ["GET"], "authorize": {"tokens": [gate.tokens()]}},
        {"path": "/shop/internal/", "authorize": {}},
    )
    good = gate.bearer()
    assert gate.ask("/", Authorization=good)[0] == 403
    assert gate.ask("/shop/internal/x", Authorization=good)[0] == 403
    assert gate.ask("/shop/")[0] == 200
    assert gate.ask("/api/", Authorization=good)[0] == 200
    assert gate.ask("/api/", "HEAD")[0] == 401
    assert gate.ask("/api/", "get")[0] == 401
    for method in ("POST", "post", "OPTIONS"):
        assert gate.ask("/api/", method, Authorization=good)[0] == 403
    for odd in ("/shop/../api/", "//shop/", "/shop%2f../", "/shop/%2e%2e/api/"):
        assert gate.ask(odd)[0] == 400
    assert gate.ask("/unknown/" + "x" * 100, "PUT")[0] == 403
    assert {heard.path for heard in gate.monolith.heard} == {"/shop/", "/api/"}


@pytest.mark.parametrize("terms", [{"tokens": [{"issuer": "x"}]}, {"ways": []}, {"tokens": [], "session": True}])
def test_a_policy_that_cannot_be_understood_is_refused_and_the_old_one_holds(gate, terms):
    gate.policies({"path": "/api/", "authorize": {}})
    offered = table(gate.monolith, gate.reviews, owner="reviews", candidate="monolith")
    offered["gateway"] = {"revision": gate.revision + 1, "policies": [{"path": "/api/", "authorize": terms}]}
    assert gate.proxy.operate("PUT", "/-/table", offered)[0] == 422
    assert gate.ask()[0] == 403


def test_no_cache_before_the_proxy_keeps_what_a_policy_lets_somebody_see(gate):
    gate.policies({"path": "/api/", "authorize": {"tokens": [gate.tokens()]}})
    gate.headers = [("Cache-Control", "public, max-age=60, s-maxage=600"), ("CDN-Cache-Control", "max-age=9")]
    headers = gate.ask(Authorization=gate.bearer())[2]
    assert headers.get_all("Cache-Control") == ["private, max-age=60"]
    assert headers["CDN-Cache-Control"] is None
    assert gate.ask("/elsewhere/")[2]["Cache-Control"] == "public, max-age=60, s-maxage=600"
    gate.headers = []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([], "private"),
        ([b"no-store"], "private, no-store"),
        ([b"Public", b"max-age=3"], "private, max-age=3"),
        ([b'private="set-cookie, x", no-cache="a,b"'], 'private, no-cache="a,b"'),
        ([b'S-MaxAge = 3, ext="public, x", , must-revalidate'], 'private, ext="public, x", must-revalidate'),
    ],
)
def test_what_else_is_said_of_caches_stays(said, told):
    fields = tuple((b"cache-CONTROL", value) for value in said)
    assert private(fields) == ((b"Cache-Control", told.encode()),)


def test_users_have_buckets_of_their_own(gate):
    throttle = [{"rate": 0.001, "burst": 1, "per": "user"}]
    policy = {"path": "/api/", "authorize": {"tokens": [gate.tokens()], "session": {}}, "throttle": throttle}
    gate.policies(policy)
    shown = [{"Authorization": gate.bearer(sub=name)} for name in ("7", "8", "7")]
    shown += [{"Cookie": "sessionid=ann"}, {"Cookie": "sessionid=ann"}]
    assert [gate.ask(**one)[0] for one in shown] == [200, 200, 429, 200, 429]
    assert gate.ask(**shown[0])[2]["Cache-Control"] == "private"


def test_a_rotated_key_is_taken_up(gate):
    gate.policies({"path": "/api/", "authorize": {"tokens": [gate.tokens(keys=gate.keys.url + "/other.json")]}})
    gate.issuer.add("two")
    assert gate.ask(Authorization=gate.bearer(kid="two"))[0] == 200
    eventually(lambda: gate.ask(Authorization=gate.bearer())[0] == 200)


def test_nobody_gets_from_the_cache_what_another_was_told(gate):
    authorize = {"tokens": [gate.tokens()], "anonymous": True}
    gate.policies({"path": "/api/", "authorize": authorize, "cache": {"seconds": 60}})
    gate.headers = [("Cache-Control", "public, max-age=60")]
    for name in ("ann", "bob", "ann"):
        assert gate.ask(Authorization=gate.bearer(sub=name))[2]["Cache-Control"] == "private, max-age=60"
    assert [heard.headers["Strangler-Subject"] for heard in gate.monolith.heard] == ["ann", "bob", "ann"]
    assert [gate.ask()[0], gate.ask()[0]] == [200, 200]
    assert len(gate.monolith.heard) == 4  # those who show nothing share an answer
    gate.headers = []
