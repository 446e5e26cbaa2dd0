"""The API, read as API Gateway reads it, beside decide(); checked as OpenAPI; and imported into an imitation of AWS."""

import json
import re

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from openapi_spec_validator import validate
from strangler_proxy.routes import decide

from strangler.rollout.engines.base import NotCarried
from strangler.rollout.exports.api_gateway import openapi, web_acl
from tests.unit.strangler.rollout.test_compiling import KEYS, gated, move, paths, queries, table, tables

COMPANION = "http://10.0.0.9:8010"
FINAL = move(owner="orders", candidate="monolith", final=True)


def document(given_table, companion=COMPANION):
    return openapi(given_table, companion=companion)


def refused(path, fields=()):
    acl = web_acl("shop")
    return any(
        re.search(statement["RegexString"], inspected)
        for statement in (rule["Statement"]["RegexMatchStatement"] for rule in acl["Rules"])
        for inspected in ([path] if "UriPath" in statement["FieldToMatch"] else [name.lower() for name in fields])
    )


def reached(made, method, path):
    """The base of the URL that a request goes to: of the longest resource that it is, or is under."""
    parts = [part for part in path.partition("?")[0].split("/") if part]
    for length in range(len(parts), -1, -1):
        exact = "/" + "/".join(parts[:length])
        name = exact if length == len(parts) else exact.rstrip("/") + "/{proxy+}"
        if name in made["paths"]:
            item = made["paths"][name]
            found = item.get(method.lower(), item["x-amazon-apigateway-any-method"])
            return found["x-amazon-apigateway-integration"]
    raise AssertionError("no resource")


@settings(max_examples=150)
@given(st.data(), tables(), st.sampled_from(["GET", "HEAD", "POST", "PURGE"]))
def test_each_request_is_refused_or_goes_to_the_companion_or_where_decide_says(data, given_table, method):
    path = data.draw(paths(given_table)) + data.draw(queries).replace("#a", "")
    if refused(path.partition("?")[0]):
        return
    uri = reached(document(given_table), method, path)["uri"]
    if not uri.startswith(COMPANION):
        upstream = given_table.upstream(decide(given_table, method, path, data.draw(st.sampled_from(KEYS))).upstream)
        assert uri.startswith(upstream.url + "/")
        assert not upstream.identity
        assert not gated(given_table, method, path)


def test_a_settled_route_goes_direct_and_its_writes_say_whose_they_are():
    made = document(table(FINAL))
    read, write = (reached(made, method, "/api/reviews/7/") for method in ("GET", "POST"))
    assert read["uri"] == write["uri"] == "http://127.0.0.1:8003/api/reviews/{proxy}"
    assert "integration.request.header.Strangler-Move" not in read["requestParameters"]
    assert write["requestParameters"] == {
        "integration.request.path.proxy": "method.request.path.proxy",
        "integration.request.header.Strangler-Move": "'0001_reviews'",
    }
    assert reached(made, "POST", "/api/reviews")["uri"] == "http://127.0.0.1:8003/api/reviews"
    assert reached(made, "POST", "/api/other/")["uri"].startswith("http://127.0.0.1:8001/api/")


@pytest.mark.parametrize(
    ("path", "fields", "is_refused"),
    [
        ("/api/%72eviews/", (), True),
        ("/api/reviews/../orders/", (), True),
        ("/api//reviews/", (), True),
        ("/api/reviews/caf%C3%A9/", (), False),
        ("/.strangler/identity", (), True),
        ("/-/table", (), True),
        ("/.well-known/x", (), False),
        ("/", ("Strangler-Identity",), True),
        ("/", ("strangler_shadow",), True),
        ("/", ("X-Strangler",), False),
    ],
)
def test_what_it_cannot_tell_apart_is_refused_before_it(path, fields, is_refused):
    assert refused(path, fields) is is_refused


def test_what_is_under_way_is_refused_without_a_companion():
    with pytest.raises(NotCarried, match='API Gateway does not do by itself what the route "/api/reviews/" of move'):
        document(table(move()), companion="")


def test_it_is_openapi_and_an_imitation_of_aws_takes_both(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    made = document(table(FINAL, move("other", ["/a/<b>/c/", "/a/d/"], owner="monolith")))
    validate({**made, "paths": {path.replace("{proxy+}", "{proxy}"): item for path, item in made["paths"].items()}})
    with mock_aws():
        gateway, waf = boto3.client("apigateway", "eu-west-1"), boto3.client("wafv2", "eu-west-1")
        api = gateway.import_rest_api(body=json.dumps(made).encode())["id"]
        there = {resource["path"] for resource in gateway.get_resources(restApiId=api, limit=500)["items"]}
        assert set(made["paths"]) <= there
        arn = waf.create_web_acl(**web_acl("shop"))["Summary"]["ARN"]
        assert [acl["ARN"] for acl in waf.list_web_acls(Scope="REGIONAL")["WebACLs"]] == [arn]
