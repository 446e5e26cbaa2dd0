"""The mailbox as pages."""

import re

from strangler.workshop.aws.events import outcomes
from strangler.workshop.aws.mailbox import Mail, Mailbox
from strangler.workshop.aws.pages import list_page, mail_page

_EVIL = '<script>alert("x")</script>'


def a_mailbox(count=1, **changes):
    mailbox = Mailbox()
    for number in range(1, count + 1):
        known = {
            "sender": "Orchard <shop@orchard.example>",
            "recipients": ("anna@example.com",),
            "subject": f"Order {number}",
            "text": "Thank you.",
            "html": "",
            "tags": {"mail": str(number)},
        }
        mail = Mail(**{**known, **changes})
        mailbox.take(mail, f"id-{number}", outcomes(mail.recipients, ()))
    return mailbox


def test_the_newest_mail_stands_first():
    page = list_page(a_mailbox(3).mails())
    assert re.findall(r"Order \d", page) == ["Order 3", "Order 2", "Order 1"]
    assert "3 mails" in page


def test_an_empty_mailbox_says_so():
    page = list_page([])
    assert "0 mails" in page
    assert "<table>" not in page


def test_of_very_many_the_newest_are_shown_and_all_are_counted():
    page = list_page(a_mailbox(250).mails())
    assert page.count("<tr><th") == 200 + 1
    assert "250 mails, of which the newest 200 are shown" in page
    assert ">Order 250<" in page
    assert ">Order 50<" not in page


def test_a_mail_shows_what_is_known_of_it():
    page = mail_page(a_mailbox().mails()[0])
    for known in ("Order 1", "anna@example.com", "shop@orchard.example", "delivered", "id-1", "Tag mail", "Thank you."):
        assert known in page


def test_of_several_addresses_each_has_its_outcome_beside_it():
    page = mail_page(a_mailbox(recipients=("anna@example.com", "bounce@simulator.amazonses.com")).mails()[0])
    assert "anna@example.com: delivered" in page
    assert "bounce@simulator.amazonses.com: bounced (General)" in page


def test_what_a_mail_says_never_becomes_part_of_the_page():
    changes = {"subject": _EVIL, "text": _EVIL, "html": f'"{_EVIL}', "sender": _EVIL, "recipients": (_EVIL,)}
    mails = a_mailbox(**changes, tags={_EVIL: _EVIL}).mails()
    for page in (list_page(mails), mail_page(mails[0])):
        assert "<script" not in page
    assert "<iframe sandbox " in mail_page(mails[0])


def test_a_mail_without_a_subject_can_be_opened_all_the_same():
    assert '<a href="/mailbox/1/">(no subject)</a>' in list_page(a_mailbox(subject="").mails())
