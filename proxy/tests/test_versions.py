"""Which version a request speaks, where that leads it, and what its client is told."""

import asyncio

import pytest
from strangler_proxy.answers import Answer
from strangler_proxy.gateway import Body, Gateway, Message, Policy, Throttle, Transform, Version, Versions
from strangler_proxy.steps.speaking import spoken
from strangler_proxy.steps.versioning import Versioning
from strangler_proxy.steps.visit import Visit

V1 = Version(
    name="v1", path="/legacy/", deprecated="2026-01-31", sunset="2027-01-31T12:00:00+01:00", link="https://x/1"
)
V2 = Version(name="v2", transform=Transform(response=Message(json=Body(set={"v": 2}))))
OLD = Version(name="v0", gone=True, deprecated="2020-01-01")
ALL = (OLD, V1, V2)


class Behind:
    def __init__(self, gateway):
        self.gateway = gateway

    def policy(self, method, target):
        return self.gateway.policy(method, target)


def visit(target, *fields, by="path", default="", others=()):
    versions = Versions(known=ALL, by=by, default=default)
    gateway = Gateway(policies=(Policy(path="/api/", versions=versions), *others))
    return Visit(
        policy=gateway.policy("GET", target),
        method="GET",
        target=target,
        fields=fields,
        body=b"",
        address="",
        client_key="",
        cookies=[],
        authorization=None,
        routing=Behind(gateway),
    )


def enter(given):
    return asyncio.run(Versioning().enter(given))


def leave(given, *fields):
    return dict(asyncio.run(Versioning().leave(given, Answer(status=200, fields=fields))).fields)


@pytest.mark.parametrize(
    ("target", "default", "goes"),
    [
        ("/api/v2/reviews/?a=b", "", "/api/reviews/?a=b"),
        ("/api/v1/reviews", "", "/legacy/reviews"),
        ("/api/v2/", "", "/api/"),
        ("/api/reviews/", "v2", "/api/reviews/"),
        ("/api/reviews/", "v1", "/legacy/reviews/"),
        ("/api/v2/v1/", "v1", "/api/v1/"),
    ],
)
def test_the_segment_after_the_policys_path_is_the_version(target, default, goes):
    asked = visit(target, default=default)
    assert enter(asked) is None
    assert asked.target == goes


@pytest.mark.parametrize(
    ("target", "default", "status"),
    [("/api/v3/reviews/", "v2", 404), ("/api/reviews/", "", 404), ("/api/", "", 404), ("/api/v0/reviews/", "v2", 410)],
)
def test_an_unknown_or_gone_version_is_answered_with_those_that_are_there(target, default, status):
    answer = enter(visit(target, default=default))
    assert answer.status == status
    assert b'"versions": ["v1", "v2"]' in answer.body
    assert (answer.header(b"deprecation") is not None) == (status == 410)


@pytest.mark.parametrize(
    ("fields", "version"),
    [
        ([(b"x-api", b"v2")], "v2"),
        ([(b"X-API", b" v1 ")], "v1"),
        ([(b"X-API", b"v1"), (b"X-API", b"v2")], None),
        ([(b"X-API", b"v9")], None),
        ([], "v1"),
    ],
)
def test_a_header_says_the_version(fields, version):
    found, _ = spoken(Versions(known=ALL, by="header:X-Api", default="v1"), "/", "/", tuple(fields))
    assert (found and found.name) == version


@pytest.mark.parametrize(
    ("fields", "version"),
    [
        ([(b"Accept", b'application/json; version="v2"')], "v2"),
        ([(b"Accept", b"text/html;version=v1;q=0.5, application/json;version=v2;q=0.8")], "v2"),
        ([(b"Accept", b"application/json;version=v9, application/json;version=v1;q=0.1")], "v1"),
        ([(b"Accept", b"application/json;version=v1;q=0")], "v2"),
        ([(b"Accept", b"*/*"), (b"Content-Type", b"application/json;version=v1")], "v1"),
        ([(b"Accept", b"application/json;version=9")], None),
    ],
)
def test_a_parameter_of_the_media_type_says_the_version(fields, version):
    found, _ = spoken(Versions(known=ALL, by="media:version", default="v2"), "/", "/", tuple(fields))
    assert (found and found.name) == version


def test_clients_are_told_what_becomes_of_their_version():
    asked = visit("/api/v1/")
    enter(asked)
    assert leave(asked) == {
        b"Deprecation": b"@1769817600",
        b"Sunset": b"Sun, 31 Jan 2027 11:00:00 GMT",
        b"Link": b'<https://x/1>; rel="sunset"',
    }
    asked = visit("/api/v2/")
    enter(asked)
    assert (leave(asked), asked.version, asked.version_transform) == ({}, "v2", V2.transform)


def test_a_header_that_says_the_version_is_what_the_answer_depends_on_and_ends_here():
    asked = visit("/api/x/", (b"X-API", b"v2"), by="header:X-Api")
    enter(asked)
    assert (asked.fields, leave(asked)) == ((), {b"Vary": b"X-Api"})
    assert leave(asked, (b"Vary", b"Accept, x-api")) == {b"Vary": b"Accept, x-api"}
    assert enter(visit("/api/x/", (b"X-API", b"v9"), by="header:X-Api")).status == 406


def test_a_version_is_under_the_policies_of_where_it_leads_and_under_closer_ones_of_what_was_sent():
    slow, fast = (Throttle(rate=1),), (Throttle(rate=9),)
    guarded = Policy(path="/legacy/secret/", throttle=slow)
    asked = visit("/api/v1/secret/", others=(guarded,))
    enter(asked)
    assert (asked.policy.throttle, asked.policy.stated["throttle"]) == (slow, "/legacy/secret/")
    asked = visit("/api/v1/secret/", others=(guarded, Policy(path="/api/v1/", throttle=fast)))
    enter(asked)
    assert (asked.policy.throttle, asked.policy.stated["throttle"]) == (fast, "/api/v1/")
    # What the versions' own path or a wider one says does not take back what the target's says.
    asked = visit("/api/v1/secret/", others=(guarded, Policy(path="/", throttle=fast)))
    enter(asked)
    assert asked.policy.throttle == slow


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"known": []}, "must be one or more"),
        ({"known": [{"name": "a"}, {"name": "a"}]}, "of different names"),
        ({"known": [{"name": "a", "stage": "b"}]}, r'at the stage "b", which is none of the gateway.s \(it has none'),
        ({"known": [{"name": "a/b"}]}, 'the name "a/b"'),
        ({"known": [{"name": "a"}], "by": "host"}, 'told by "host"'),
        ({"known": [{"name": "a"}], "default": "b"}, 'default version "b"'),
        ({"known": [{"name": "a", "sunset": "soon"}]}, 'sunset "soon"'),
        ({"known": [{"name": "a", "path": "/<x>/"}]}, "it has no <x>"),
        ({"known": [{"name": "a", "link": "x>; rel=evil"}]}, "is no address"),
        ({"known": [{"name": "a", "transform": {"path": "/b/"}}]}, 'say it as its "path"'),
    ],
)
def test_bad_versions_are_refused_in_one_sentence(given, message):
    with pytest.raises(ValueError, match=message):
        Gateway.from_json({"policies": [{"path": "/api/", "versions": given}]})
