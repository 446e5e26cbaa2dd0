"""What a project's policies say of a request, beside a naive reading of all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangler_proxy.gateway import Gateway, Policy, Stage, Throttle
from strangler_proxy.gateway.policies import AmbiguousPath
from strangler_proxy.routes import RouteTable, Upstream, older

from tests.unit.strangler_proxy.test_patterns import PATHS, PATTERNS, matches, specificity

SLOW, FAST = Throttle(rate=1), Throttle(rate=100, burst=50, per="address")


def gateway(*policies, revision=1):
    return Gateway(revision=revision, policies=policies)


def table(given):
    monolith = Upstream(name="monolith", url="http://127.0.0.1:8001")
    return RouteTable(default="monolith", upstreams=(monolith,), gateway=given)


POLICIES = st.builds(
    lambda path, methods, throttle, without: Policy(path=path, methods=methods, throttle=throttle, without=without),
    PATTERNS,
    st.sampled_from([(), ("GET",), ("POST", "PUT")]),
    st.sampled_from([(), (SLOW,), (SLOW, FAST)]),
    st.sampled_from([(), ("throttle",)]),
)


def said(policies, method, path):
    """The naive reading: all that match, the most general first; methods are more special than none."""
    found = [one for one in policies if matches(one.path, path) and (not one.methods or method in one.methods)]
    throttle, stated = (), None
    for policy in sorted(found, key=lambda one: (specificity(one.path), bool(one.methods))):
        if "throttle" in policy.without:
            throttle, stated = (), None
        if policy.throttle:
            throttle, stated = policy.throttle, policy.path
    return throttle, stated, bool(found)


@given(
    st.lists(POLICIES, unique_by=lambda policy: (specificity(policy.path), policy.path, policy.methods)),
    st.sampled_from(["GET", "PUT", "BREW"]),
    PATHS,
)
def test_each_feature_is_from_the_most_specific_policy_that_states_it(policies, method, path):
    throttle, stated, any_found = said(policies, method, path)
    found = gateway(*policies).policy(method, "/" + "/".join(path))
    assert (found is not None) == any_found
    if found is not None:
        assert (found.throttle, found.stated.get("throttle")) == (throttle, stated)


@given(st.lists(POLICIES, unique_by=lambda policy: (policy.path, policy.methods)))
def test_a_gateway_survives_its_json(policies):
    made = table(gateway(*policies))
    assert RouteTable.from_json(made.to_json()) == made


def test_stages_are_upstreams_of_the_table_under_names_of_their_own():
    stage = Stage(name="sandbox", url="http://127.0.0.1:8102")
    made = table(Gateway(stages=(stage,)))
    assert RouteTable.from_json(made.to_json()) == made
    assert made.upstream("sandbox") == Upstream(name="sandbox", url="http://127.0.0.1:8102", identity=True)
    with pytest.raises(ValueError, match='the upstream "monolith" stands twice'):
        table(Gateway(stages=(Stage(name="monolith", url="http://127.0.0.1:8102"),)))
    with pytest.raises(ValueError, match="is not of the form"):
        table(Gateway(stages=(Stage(name="sandbox", url="file:///etc"),)))


def test_a_path_that_servers_read_differently_has_no_policy_to_go_by():
    guarded = gateway(Policy(path="/api/", throttle=(SLOW,)))
    with pytest.raises(AmbiguousPath):
        guarded.policy("GET", "/api/../orders/")
    assert gateway().policy("GET", "/api/../orders/") is None


def test_a_lower_revision_is_an_older_table():
    assert older(table(gateway(revision=3)), table(gateway(revision=2))) == [
        "the gateway is at revision 3 and was offered at 2"
    ]
    assert older(table(gateway(revision=3)), table(gateway(revision=3))) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], 'must be an object with "revision"'),
        ({"policies": {}}, 'lists of "policies"'),
        ({"policies": [3]}, "policy 0 of the gateway is 3; it must be an object"),
        ({"policies": [{}]}, "policy 0 of the gateway lacks a part"),
        ({"policies": [{"path": "api"}]}, "must begin and end"),
        ({"policies": [{"path": "/", "cash": {}}]}, 'unknown part "cash"; it knows path, methods'),
        ({"policies": [{"path": "/", "without": ["cash"]}]}, '"cash", which is no feature; they are '),
        ({"policies": [{"path": "/", "methods": ["get"]}]}, "names in capitals"),
        ({"policies": [{"path": "/", "methods": "GET"}]}, "methods is 'GET'; it must be a list"),
        ({"policies": [{"path": "/", "throttle": [{"rate": "1"}]}]}, "throttle, rate is '1'; it must be a number"),
        ({"policies": [{"path": "/", "throttle": [{"rate": 0}]}]}, "more than 0 requests a second"),
        ({"policies": [{"path": "/", "throttle": [{"rate": 1, "burst": 0}]}]}, "at least 1 request"),
        ({"policies": [{"path": "/", "throttle": [{"rate": 1, "per": "day"}]}]}, "one of client, address"),
        ({"policies": [{"path": "/a/<x>/"}, {"path": "/a/<y>/"}]}, 'two policies are for "/a/<y>/" and every method'),
        ({"policies": [{"path": "/", "methods": ["GET"]}, {"path": "/", "methods": ["HEAD"]}]}, '"/" and HEAD'),
        ({"revision": True}, "whole number from 0"),
    ],
)
def test_a_bad_gateway_is_refused_in_one_sentence(given, message):
    with pytest.raises(ValueError, match=message):
        Gateway.from_json(given)
