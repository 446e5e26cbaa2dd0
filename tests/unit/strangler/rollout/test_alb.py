"""The rules of an ALB, read as an ALB reads them, beside decide(); and applied to an imitation of AWS."""

import json
import re

import boto3
import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from strangler_proxy.routes import decide

from strangler.rollout.engines.base import NotCarried
from strangler.rollout.exports.alb import alb
from tests.unit.strangler.rollout.test_compiling import KEYS, gated, move, paths, policy, queries, table, tables

ADDRESSES = {"monolith": ("10.0.0.1", 8001), "reviews": ("10.0.0.2", 8002), "orders": ("10.0.0.3", 8003)}
COMPANION = [("10.0.0.9", 8010)]


def template(given_table, companions=COMPANION):
    return alb(given_table, addresses=ADDRESSES, companions=companions)


def rules(made):
    found = [resource["Properties"] for name, resource in made["Resources"].items() if name.startswith("Rule")]
    return sorted(found, key=lambda rule: rule["Priority"])


def chosen(made, method, path, headers):
    """The address of the first rule's target group all of whose conditions hold, or the status that it answers."""
    for rule in rules(made):
        if all(_holds(condition, method, path.partition("?")[0], headers) for condition in rule["Conditions"]):
            (action,) = rule["Actions"]
            if "FixedResponseConfig" in action:
                return action["FixedResponseConfig"]["StatusCode"]
            (target,) = made["Resources"][action["TargetGroupArn"]["Ref"]]["Properties"]["Targets"]
            return target["Id"], target["Port"]
    raise AssertionError("no rule holds")


def _holds(condition, method, path, headers):
    if condition["Field"] == "http-request-method":
        return method in condition["HttpRequestMethodConfig"]["Values"]
    if condition["Field"] == "http-header":
        return condition["HttpHeaderConfig"]["HttpHeaderName"].lower() in headers
    given = condition["PathPatternConfig"]
    globs = (re.escape(value).replace(r"\*", ".*") for value in given.get("Values", ()))
    return any(re.fullmatch(glob, path) for glob in globs) or any(
        re.search(expression, path) for expression in given.get("RegexValues", ())
    )


@settings(max_examples=150)
@given(st.data(), tables(), st.sampled_from(["GET", "HEAD", "POST", "PURGE"]))
def test_each_request_goes_to_the_companion_or_where_decide_says(data, given_table, method):
    path = data.draw(paths(given_table)) + data.draw(queries).replace("#a", "")
    headers = data.draw(st.sampled_from([(), ("cookie",), ("authorization",)]))
    key = data.draw(st.sampled_from(KEYS))
    found = chosen(template(given_table), method, path, headers)
    if found != COMPANION[0]:
        upstream = decide(given_table, method, path, key).upstream
        assert found == ADDRESSES[upstream]
        assert not gated(given_table, method, path)
        assert not (given_table.upstream(upstream).identity and headers)


def test_reads_of_a_settled_route_go_direct_and_writes_do_not():
    made = template(table(move(owner="orders", candidate="monolith")))
    assert chosen(made, "GET", "/api/reviews/7/", ()) == ADDRESSES["orders"]
    assert chosen(made, "GET", "/api/reviews", ()) == ADDRESSES["orders"]
    assert chosen(made, "GET", "/api/reviewsandmore/", ()) == ADDRESSES["monolith"]
    assert chosen(made, "POST", "/api/reviews/", ()) == COMPANION[0]
    assert chosen(made, "GET", "/api/%72eviews/", ()) == COMPANION[0]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [("/.strangler/x", (), "404"), ("/-/table", (), "404"), ("/", ("strangler-shadow",), "400")],
)
def test_what_no_client_may_say_reaches_nobody(path, headers, status):
    assert chosen(template(table(move())), "GET", path, headers) == status


def test_rules_keep_to_the_limits_of_a_rule():
    made = template(table(move(routes=["/a/<b>/<c>/d/", "/e/"]), move("other", ["/f/"], owner="reviews", final=True)))
    for rule in rules(made):
        values = [list(json.loads(json.dumps(condition)).values())[1] for condition in rule["Conditions"]]
        strings = [given.get("Values", given.get("RegexValues")) for given in values]
        assert sum(map(len, strings)) <= 5
        assert all(len(each) <= 3 and all(len(text) <= 128 for text in each) for each in strings)
        assert sum(text.count("*") for given in values for each in (given.get("Values", ()),) for text in each) <= 6


def test_more_rules_than_a_load_balancer_takes_are_refused():
    with pytest.raises(
        NotCarried, match="an ALB takes 100 rules, and the 50 routes of the table need 116; take another"
    ):
        template(table(move(routes=[f"/{number}/" for number in range(50)])))


@pytest.mark.parametrize(
    ("given_table", "companions", "said"),
    [
        (table(move(routes=[f"/{'x' * 126}/"])), COMPANION, r'at most 128 characters, and the route "/xxx.*" of move'),
        (table(move(final=True)), [], r'an ALB does not do by itself what the route "/api/reviews/" of move'),
        (table(policies=[policy("/api/")]), [], r'the route "/api/" asks for \(policies of the gateway\)'),
    ],
)
def test_what_an_alb_cannot_do_is_refused_by_route(given_table, companions, said):
    with pytest.raises(NotCarried, match=said):
        template(given_table, companions)


@mock_aws
def test_the_template_makes_the_rules_on_a_listener(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    ec2, elb, cloudformation = (boto3.client(name, "eu-west-1") for name in ("ec2", "elbv2", "cloudformation"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-west-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(Name="shop", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[nothing])
    arn = listener["Listeners"][0]["ListenerArn"]
    made = template(table(move(owner="orders", candidate="monolith"), move("other", ["/a/<b>/"], owner="reviews")))
    # The imitation knows no regular expressions yet: the model of AWS's own client says whether they are well formed.
    odd = [name for name, resource in made["Resources"].items() if "RegexValues" in json.dumps(resource)]
    shape = elb.meta.service_model.operation_model("CreateRule").input_shape
    for rule in rules(made):
        actions = [{**action, "TargetGroupArn": "arn"} for action in rule["Actions"]]
        assert not ParamValidator().validate({**rule, "ListenerArn": arn, "Actions": actions}, shape).has_errors()
    assert len(odd) == 1
    del made["Resources"][odd[0]]
    cloudformation.create_stack(
        StackName="routes",
        TemplateBody=json.dumps(made),
        Parameters=[
            {"ParameterKey": "Listener", "ParameterValue": arn},
            {"ParameterKey": "Vpc", "ParameterValue": vpc},
        ],
    )
    there = [rule for rule in elb.describe_rules(ListenerArn=arn)["Rules"] if not rule["IsDefault"]]
    assert [int(rule["Priority"]) for rule in there] == [rule["Priority"] for rule in rules(made)]
    assert [rule["Conditions"] for rule in there] == [rule["Conditions"] for rule in rules(made)]
    groups = {group["TargetGroupArn"] for group in elb.describe_target_groups()["TargetGroups"]}
    forwarded = {
        action["TargetGroupArn"] for rule in there for action in rule["Actions"] if action["Type"] == "forward"
    }
    assert forwarded <= groups and len(groups) == 4
