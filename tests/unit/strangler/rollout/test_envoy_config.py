"""The routes that Envoy is given, read as Envoy reads them, beside what the plan says."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strangler.rollout.engines import envoy_config
from strangler.rollout.engines.base import NotCarried
from strangler.rollout.engines.compiling import COMPANION
from tests.unit.strangler.rollout.test_compiling import KEYS, bucket, move, paths, queries, table, tables

SALT = "0123456789abcdef0123456789abcdef"


def configured(given_table):
    carried = envoy_config.settled(given_table, name="envoy", companion=True)
    return carried, envoy_config.routes(given_table, carried, salt=SALT, at="now")


def chosen(configuration, method, target, headers, number=None, *, held=False):
    """The first route that matches; all conditions of a route must hold."""
    path = target.partition("?")[0]
    for route in configuration["virtual_hosts"][0]["routes"]:
        match = route["match"]
        if not target.startswith(match.get("prefix", "")) or ("runtime_fraction" in match and not held):
            continue
        if "safe_regex" in match and not re.fullmatch(match["safe_regex"]["regex"], path):
            continue
        if not all(_holds(header, {":method": method, **headers}) for header in match.get("headers", ())):
            continue
        ranges = [found["value"]["double_match"]["range"] for found in match.get("dynamic_metadata", ())]
        if all(number is not None and span["start"] <= number < span["end"] for span in ranges):
            return route
    raise AssertionError("no route matches")


def _holds(header, headers):
    value = headers.get(header["name"])
    if "present_match" in header:
        return (value is not None) is header["present_match"]
    if value is None and not header.get("treat_missing_header_as_empty"):
        return False
    matches = re.fullmatch(header["string_match"]["safe_regex"]["regex"], value or "") is not None
    return matches is not header.get("invert_match", False)


@settings(max_examples=100)
@given(st.data(), tables(), st.sampled_from(["GET", "HEAD", "POST", "PURGE"]))
def test_each_request_goes_where_the_plan_says(data, given_table, method):
    target = data.draw(paths(given_table)) + data.draw(queries).replace("#a", "")
    key = data.draw(st.sampled_from([None, *KEYS]))
    headers = data.draw(st.sampled_from([{}, {"authorization": "Basic x"}, {"cookie": "sessionid=x"}]))
    carried, configuration = configured(given_table)
    route = chosen(configuration, method, target, headers, None if key is None else bucket(key))
    cluster = route["route"]["cluster"]
    expected = carried.goes(method, target, key, credentials=bool(headers))
    assert (COMPANION if cluster == "companion" else cluster.partition("@")[0]) == expected


def test_ten_thousand_patterns_that_go_one_way_are_one_expression():
    many = move(routes=[f"/r/{number}/" for number in range(10_000)], owner="orders", candidate="monolith", final=True)
    few = move(routes=["/r/1/"], owner="orders", candidate="monolith", final=True)
    counts = {len(configured(table(each))[1]["virtual_hosts"][0]["routes"]) for each in (many, few)}
    assert len(counts) == 1


def test_a_direct_write_says_its_move_and_one_to_the_companion_does_not():
    final = move(owner="orders", candidate="monolith", final=True)
    fields = {
        made["header"]["key"]: made["header"]["value"]
        for made in chosen(configured(table(final))[1], "POST", "/api/reviews/", {})["request_headers_to_add"]
    }
    assert fields["strangler-move"] == "0001_reviews"
    assert "request_headers_to_add" not in chosen(configured(table(move()))[1], "POST", "/api/reviews/", {})


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (None, True),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", False),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", False),
        (f"00-{'0' * 31}1-{'0' * 16}-01", False),
        ("", False),
    ],
)
def test_a_trace_that_is_none_is_replaced(sent, kept):
    route = chosen(configured(table())[1], "GET", "/", {} if sent is None else {"traceparent": sent})
    (trace,) = (made for made in route["request_headers_to_add"] if made["header"]["key"] == "traceparent")
    assert trace["append_action"] == ("ADD_IF_ABSENT" if kept else "OVERWRITE_IF_EXISTS_OR_ADD")


@pytest.mark.parametrize(
    ("headers", "given_one"),
    [
        ({}, True),
        ({"cookie": f"a=b; strangler_client={'k' * 22}"}, False),
        ({"cookie": f"xstrangler_client={'k' * 22}"}, True),
        ({"cookie": "strangler_client=short"}, True),
        ({"authorization": "Basic x"}, False),
    ],
)
def test_a_client_without_a_key_is_given_one_where_a_move_answers(headers, given_one):
    found = chosen(configured(table(move()))[1], "GET", "/api/reviews/", headers)["response_headers_to_add"]
    assert any(made["header"]["key"] == "set-cookie" for made in found) is given_one
    elsewhere = chosen(configured(table(move()))[1], "GET", "/", headers)["response_headers_to_add"]
    assert not any(made["header"]["key"] == "set-cookie" for made in elsewhere)


def test_while_a_move_is_held_all_writes_go_to_the_companion():
    configuration = configured(table(move()))[1]
    assert chosen(configuration, "POST", "/", {})["route"]["cluster"].startswith("monolith@")
    assert chosen(configuration, "POST", "/", {}, held=True)["route"]["cluster"] == "companion"
    assert chosen(configuration, "GET", "/", {}, held=True)["route"]["cluster"].startswith("monolith@")


def test_the_table_is_read_back_from_the_routes_that_were_made_from_it():
    given_table = table(move(weight=7, early=("header:X-Early=1",)))
    configuration = json.loads(json.dumps(configured(given_table)[1]))
    assert envoy_config.table_in(configuration) == given_table
    with pytest.raises(ValueError, match=r"the route configuration is not the toolkit's \('metadata'\)"):
        envoy_config.table_in({"virtual_hosts": [{"name": "another"}]})


def test_what_needs_a_companion_is_refused_without_one():
    with pytest.raises(NotCarried, match=r'Envoy does not do by itself what the route "/api/reviews/" of move'):
        envoy_config.settled(table(move()), name="Envoy", companion=False)


def test_an_idle_connection_is_closed_before_a_companion_closes_it():
    (options,) = envoy_config.cluster("companion", [("127.0.0.1", 1)])["typed_extension_protocol_options"].values()
    idle = options["common_http_protocol_options"]["idle_timeout"]
    patience = (Path(__file__).parents[4] / "proxy/strangler_proxy/patience.py").read_text()  # imports mitmproxy
    assert float(idle.removesuffix("s")) < float(re.search(r"^    idle: float = ([\d.]+)$", patience, re.MULTILINE)[1])


@pytest.mark.parametrize(
    ("host", "refused"), [("shop.example:80", False), ("[::1]:80", False), ("u@shop.example", True), ("a/b", True)]
)
def test_a_host_in_doubt_is_answered_before_any_route_is_looked_at(host, refused):
    first = configured(table())[1]["virtual_hosts"][0]["routes"][0]
    assert first["direct_response"]["status"] == 403
    assert all(_holds(condition, {":authority": host}) for condition in first["match"]["headers"]) is refused
