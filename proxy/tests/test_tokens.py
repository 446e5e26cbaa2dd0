"""Tokens of an issuer: which are good, and of what its keys' URL may do meanwhile."""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
import warnings

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from issuers import ISSUER, Issuer
from strangler_proxy.gateway import Authorize, Tokens
from strangler_proxy.jwks import GOOD, PAUSE, REFRESH, KeySets
from strangler_proxy.tokens import Bearers
from strangler_proxy.who import Denied, Unknown, Who
from world import Said

URL = "https://issuer.example/keys.json"
TERMS = Tokens(issuer=ISSUER, audience=("shop", "api"), keys=URL, algorithms=("RS256", "ES256", "EdDSA"))
NOW = int(time.time())


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def issuer():
    return Issuer(one="ES256", two="RS256", three="EdDSA")


def told(issuer, token, terms=TERMS):
    return asyncio.run(Bearers(keys=KeySets(issuer.read)).who(token, [terms]))


def refused(issuer, token, terms=TERMS):
    with pytest.raises(Denied) as error:
        told(issuer, token, terms)
    return error.value


@pytest.mark.parametrize("kid", ["one", "two", "three"])
def test_a_good_token_tells_who_it_is(issuer, kid):
    token = issuer.token(kid, scope="read write", aud=["elsewhere", "api"])
    assert told(issuer, token) == Who(way="token", subject="ann", issuer=ISSUER, scopes=("read", "write"))


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": NOW - 60}, "expired"),
        ({"nbf": NOW + 9_000}, "not good yet"),
        ({"iat": NOW + 9_000}, "not good yet"),
        ({"aud": "elsewhere"}, "for somebody else"),
        ({"aud": None}, "lacks one of"),
        ({"exp": None}, "lacks one of"),
        ({"sub": None}, "lacks one of"),
        ({"sub": ""}, "tells of nobody"),
        ({"iss": "https://other.example"}, "issuer that is not accepted"),
        ({"iss": None}, "issuer that is not accepted"),
        ({"iss": ISSUER + "/"}, "issuer that is not accepted"),
        ({"headers": {"kid": "nine"}}, "unknown key"),
        ({"headers": {"kid": "two"}}, "unknown key"),
        ({"headers": {"crit": ["exp"], "exp": 1}}, "not good"),
        ({"bulk": "x" * 20_000}, "too long"),
    ],
)
def test_a_token_that_is_not_good_is_refused(issuer, claims, why):
    error = refused(issuer, issuer.token(**claims))
    assert why in str(error)
    assert not error.forbidden


@pytest.mark.parametrize(("claim", "off"), [("exp", -5), ("nbf", 20), ("iat", 20)])
def test_clocks_may_be_off_a_little(issuer, claim, off):
    assert told(issuer, issuer.token(**{claim: int(time.time()) + off})).subject == "ann"


def test_a_token_that_was_changed_is_refused(issuer):
    header, payload, signature = issuer.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "bob"}).encode()).decode().rstrip("=")
    assert "not good" in str(refused(issuer, f"{header}.{forged}.{signature}"))
    assert "not good" in str(refused(issuer, f"{header}.{payload}."))


def test_nobody_signs_with_a_public_key_or_not_at_all(issuer):
    public = issuer.keys["two"][1].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = issuer.token("two").split(".")[1]
    for algorithm in ("HS256", "none", "None"):
        header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "two"}).encode()).decode().rstrip("=")
        mac = hmac.new(public, f"{header}.{claims}".encode(), hashlib.sha256).digest()
        signature = base64.urlsafe_b64encode(mac).decode().rstrip("=") if algorithm == "HS256" else ""
        assert "algorithm" in str(refused(issuer, f"{header}.{claims}.{signature}"))


def test_the_policy_says_which_algorithms_do_and_so_does_the_key(issuer):
    only = Tokens(issuer=ISSUER, audience=("shop",), keys=URL, algorithms=("RS256",))
    assert "algorithm" in str(refused(issuer, issuer.token("one"), only))
    both = Tokens(issuer=ISSUER, audience=("shop",), keys=URL, algorithms=("RS256", "PS256"))
    pss = issuer.token("two", algorithm="PS256")
    assert told(issuer, pss, both).subject == "ann"
    bound = Issuer(two="RS256")
    bound.published = [bound.public("two", alg="RS256")]
    assert "unknown key" in str(refused(bound, bound.token("two", algorithm="PS256"), both))


@pytest.mark.parametrize("changed", [{"use": "enc"}, {"key_ops": ["encrypt"]}])
def test_a_key_for_something_else_signs_nothing(changed):
    issuer = Issuer()
    issuer.published = [issuer.public("one", **changed)]
    assert "unknown key" in str(refused(issuer, issuer.token()))


def test_a_key_that_is_too_short_signs_nothing():
    issuer = Issuer()
    issuer.keys["one"] = ("RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    issuer.published = [issuer.public("one")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        token = issuer.token()
    assert "not good" in str(refused(issuer, token))


def test_a_token_without_a_name_of_a_key_is_of_the_only_one():
    issuer = Issuer()
    token = issuer.token(headers={"kid": None})
    assert told(issuer, token).subject == "ann"
    issuer.add("two")
    assert "unknown key" in str(refused(issuer, token))


@pytest.mark.parametrize("claims", [{"scope": "write read more"}, {"scp": ["read", "write"]}])
def test_the_scopes_that_a_policy_wants_are_all_there(issuer, claims):
    terms = Tokens(issuer=ISSUER, audience=("shop",), keys=URL, algorithms=("ES256",), scopes=("read", "write"))
    assert told(issuer, issuer.token(**claims), terms).subject == "ann"
    for lacking in ({}, {"scope": "read"}, {"scp": ["write", 1]}, {"scope": 7}, {"scope": ["read write"]}):
        error = refused(issuer, issuer.token(**lacking), terms)
        assert (error.scopes, error.forbidden) == (("read", "write"), True)


def test_the_claims_that_a_policy_wants_have_their_values(issuer):
    terms = Tokens(
        issuer=ISSUER, audience=("shop",), keys=URL, algorithms=("ES256",), claims={"tenant": "x", "verified": True}
    )
    assert told(issuer, issuer.token(tenant=["y", "x"], verified=True), terms).subject == "ann"
    for other in ({}, {"tenant": "x"}, {"tenant": "x", "verified": 1}, {"tenant": "xy", "verified": True}):
        assert refused(issuer, issuer.token(**other), terms).forbidden


def encoded(*parts):
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def test_whatever_is_sent_as_a_token_is_refused_and_breaks_nothing():
    chance = random.Random(7)
    good = _QUIET.token()
    odd = ["", ".", "..", "a.b.c", "\udcff.x.y", base64.urlsafe_b64encode(b"[" * 9_000).decode() + ".e30.x"]
    odd += [encoded(header, {"iss": ISSUER}, "x") for header in ([], 1, {"alg": []}, {"alg": "ES256", "kid": {}})]
    odd += [
        encoded({"alg": "ES256", "kid": "one"}, claims, "x") for claims in ([], {"iss": []}, {"iss": ISSUER, "exp": []})
    ]
    for _ in range(300):
        place = chance.randrange(len(good) - 1)
        odd.append(good[:place] + chance.choice("AZaz09-_.=+/ \n") + good[place + chance.randrange(1, 3) :])

    async def each():
        bearers = Bearers(keys=KeySets(_QUIET.read))
        for token in odd:
            if token != good:
                with pytest.raises(Denied):
                    await bearers.who(token, [TERMS])

    asyncio.run(each())


_QUIET = Issuer()


def test_a_new_key_is_fetched_when_a_token_names_it_and_made_up_names_fetch_nothing():
    issuer, clock = Issuer(), Clock()

    async def through():
        keys = KeySets(issuer.read, clock)
        bearers = Bearers(keys=keys)
        for _ in range(3):
            await bearers.who(issuer.token(), [TERMS])
        assert issuer.fetched == 1
        issuer.add("new")
        with pytest.raises(Denied):  # the last fetch was just now
            await bearers.who(issuer.token("new"), [TERMS])
        clock.now += PAUSE
        await asyncio.gather(*[bearers.who(issuer.token("new"), [TERMS]) for _ in range(20)])
        assert issuer.fetched == 2
        made_up = [issuer.token(headers={"kid": str(number)}) for number in range(50)]
        clock.now += PAUSE
        for token in made_up:
            with pytest.raises(Denied):
                await bearers.who(token, [TERMS])
        assert issuer.fetched == 3

    asyncio.run(through())


def test_a_key_that_the_issuer_took_out_is_no_good_after_the_next_fetch():
    issuer, clock = Issuer(one="ES256", two="ES256"), Clock()

    async def through():
        bearers = Bearers(keys=KeySets(issuer.read, clock))
        await bearers.who(issuer.token(), [TERMS])
        issuer.published = [issuer.public("two")]
        await bearers.who(issuer.token(), [TERMS])
        clock.now += REFRESH + 1
        await bearers.who(issuer.token(), [TERMS])  # nobody waits for a fetch whose key is known
        while issuer.fetched < 2:
            await asyncio.sleep(0.01)
        with pytest.raises(Denied):
            while True:
                await bearers.who(issuer.token(), [TERMS])
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(through(), 60))


def test_while_the_keys_are_away_known_ones_are_good_for_an_hour_and_then_nobody_is_let_through():
    issuer, clock = Issuer(), Clock()

    async def through():
        bearers = Bearers(keys=KeySets(issuer.read, clock))
        issuer.away = True
        with pytest.raises(Unknown):
            await bearers.who(issuer.token(), [TERMS])
        issuer.away = False
        with pytest.raises(Unknown):  # not asked again yet
            await bearers.who(issuer.token(), [TERMS])
        clock.now += PAUSE
        await bearers.who(issuer.token(), [TERMS])
        issuer.away = True
        clock.now += GOOD - 1
        await bearers.who(issuer.token(), [TERMS])
        clock.now += PAUSE
        with pytest.raises(Unknown):
            await bearers.who(issuer.token(), [TERMS])
        issuer.away = False
        clock.now += PAUSE
        await bearers.who(issuer.token(), [TERMS])

    asyncio.run(through())


@pytest.mark.parametrize("said", [b"", b"[]", b'{"keys": 1}', b'{"keys": ["x"]}', b'{"keys": [{}]}', b"[" * 9_000])
def test_what_is_no_set_of_keys_is_as_if_it_were_away(said):
    with pytest.raises(Unknown):
        asyncio.run(Bearers(keys=KeySets(lambda url: said)).who(_QUIET.token(), [TERMS]))


def test_keys_come_from_a_file_or_by_http_without_redirections(tmp_path, monolith):
    path = tmp_path / "keys.json"
    path.write_bytes(_QUIET.read(""))

    def by(url):
        terms = Tokens(issuer=ISSUER, audience=("shop",), keys=url, algorithms=("ES256",))
        return asyncio.run(Bearers(keys=KeySets()).who(_QUIET.token(), [terms])).subject

    assert by(path.as_uri()) == "ann"
    monolith.answer = lambda request: Said(body=path.read_bytes())
    assert by(monolith.url + "/keys.json") == "ann"
    monolith.answer = lambda request: Said(
        status=302, headers=[("Location", "/other")] if request.path == "/keys.json" else [], body=path.read_bytes()
    )
    with pytest.raises(Unknown):
        by(monolith.url + "/keys.json")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"issuer": ""}, "need an issuer"),
        ({"audience": ()}, "need an issuer and an audience"),
        ({"algorithms": ()}, "need an algorithm"),
        ({"algorithms": ("RS256", "HS256")}, 'cannot be signed by "HS256"'),
        ({"algorithms": ("none",)}, 'cannot be signed by "none"'),
        ({"leeway": 301}, "leeway"),
        ({"keys": "http://issuer.example/keys"}, "anybody on the way"),
        ({"keys": "file://elsewhere/keys"}, "anybody on the way"),
        ({"keys": "keys.json"}, "anybody on the way"),
        ({"scopes": ('a"b',)}, "has a space, a quote"),
    ],
)
def test_terms_that_would_let_others_through_are_refused(given, why):
    with pytest.raises(ValueError, match=why):
        Tokens(**{"issuer": ISSUER, "audience": ("shop",), "keys": URL, **given})


def test_an_issuer_is_accepted_once():
    with pytest.raises(ValueError, match="accepted twice"):
        Authorize(tokens=(TERMS, TERMS))
