"""What Orchard tells people by mail: over topic, queue and SES, with the processes that "make up" starts."""

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.acceptance


def test_somebody_who_registers_is_welcomed_by_a_mail(orchard):
    person = orchard.person()
    until = time.monotonic() + 60
    while not (mails := mails_to(person, orchard)):
        assert time.monotonic() < until, f"{person.name} got no mail"
        time.sleep(0.1)
    assert [(mail["subject"], mail["sender"]) for mail in mails] == [
        ("Welcome to Orchard", "Orchard <shop@orchard.example>")
    ]


def mails_to(person, orchard):
    return [mail for mail in orchard.mails() if mail["recipients"] == [f"{person.name}@orchard.example"]]
