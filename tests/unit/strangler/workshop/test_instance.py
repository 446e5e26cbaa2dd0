"""Ports and secrets of one copy of Orchard."""

import json
import socket
import stat

import pytest

from strangler.deploy.ports import free_port
from strangler.workshop.instance import Instance, InstanceError


def test_ports_are_chosen_once_from_the_base(tmp_path):
    instance = Instance(home=tmp_path)
    instance.prepare(9000)
    assert instance.ports["proxy"] == 9000
    assert len(set(instance.ports.values())) == len(instance.ports)
    instance.prepare(10_000)
    assert Instance(home=tmp_path).ports["proxy"] == 9000


def test_a_taken_port_is_named_with_its_part(tmp_path):
    base = free_port()
    instance = Instance(home=tmp_path)
    instance.prepare(base)
    with socket.create_server(("127.0.0.1", base + 1)):
        with pytest.raises(InstanceError, match=f'port {base + 1}, for orchard, .* remove "{tmp_path}"'):
            instance.refuse_taken_ports()
        instance.refuse_taken_ports(ours=["orchard"])


def test_after_a_taken_port_another_base_is_free_to_choose(tmp_path):
    base = free_port()
    with (
        socket.create_server(("127.0.0.1", base)),
        pytest.raises(InstanceError, match=f"port {base}, for proxy, .* STRANGLER_PORT_BASE"),
    ):
        Instance(home=tmp_path).prepare(base)
    other = free_port()
    Instance(home=tmp_path).prepare(other)
    assert Instance(home=tmp_path).ports["proxy"] == other


def test_secrets_are_for_their_owner_alone_and_stay(tmp_path):
    instance = Instance(home=tmp_path)
    instance.prepare(None)
    before = instance.secrets["proxy"]
    for name in ("secrets.json", "identity.pem"):
        assert stat.S_IMODE((tmp_path / "secrets" / name).stat().st_mode) == 0o600
    Instance(home=tmp_path).prepare(None)
    assert Instance(home=tmp_path).secrets["proxy"] == before


def test_a_part_that_came_later_gets_a_port_and_the_others_keep_theirs(tmp_path):
    instance = Instance(home=tmp_path)
    instance.prepare(9000)
    known = {part: port for part, port in instance.ports.items() if part != "aws"}
    (tmp_path / "ports.json").write_text(json.dumps(known))
    later = Instance(home=tmp_path)
    later.prepare(9000)
    assert {part: port for part, port in later.ports.items() if part != "aws"} == known
    assert later.ports["aws"] not in known.values()


def test_a_part_that_came_later_gets_a_secret_and_the_others_keep_theirs(tmp_path):
    instance = Instance(home=tmp_path)
    instance.prepare(None)
    known = {name: secret for name, secret in instance.secrets.items() if name != "notifications"}
    (tmp_path / "secrets" / "secrets.json").write_text(json.dumps(known))
    later = Instance(home=tmp_path)
    later.prepare(None)
    assert {name: secret for name, secret in later.secrets.items() if name != "notifications"} == known
    assert later.secrets["notifications"] not in known.values()
    assert stat.S_IMODE((tmp_path / "secrets" / "secrets.json").stat().st_mode) == 0o600


def test_orchard_is_told_of_an_aws_where_there_is_one(tmp_path):
    Instance(home=tmp_path).prepare(None)
    for name in ("orchard", "reviews"):
        (tmp_path / "postgres").mkdir(exist_ok=True)
        (tmp_path / "postgres" / f"{name}.password").write_text("secret")
    without, told = Instance(home=tmp_path).environment(), Instance(home=tmp_path, aws=True).environment()
    more = told.keys() - without.keys()
    assert {name for name in more if name.startswith("AWS_")} == {
        "AWS_ENDPOINT_URL",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    }
    assert {name for name in more if not name.startswith("AWS_")} == {
        "ORCHARD_EVENTS_TOPIC",
        "NOTIFICATIONS_QUEUE",
        "NOTIFICATIONS_DEAD_QUEUE",
        "NOTIFICATIONS_FEEDBACK_QUEUE",
        "NOTIFICATIONS_CONFIGURATION_SET",
        "NOTIFICATIONS_FROM",
        "NOTIFICATIONS_BROKER_URL",
    }
    assert told["AWS_ENDPOINT_URL"] == Instance(home=tmp_path).url("aws")
