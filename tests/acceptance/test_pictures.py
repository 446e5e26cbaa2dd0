"""What a person sees, as pictures: into the folder that PICTURES names ("make pictures": docs/pictures), or nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from strangler.workshop.instance import ROOT
from tests.acceptance.conftest import PLAN, SWITCHED
from tests.browser import a_browser

pytestmark = pytest.mark.acceptance

REGISTERED = "[...document.querySelectorAll('#traces tr')].find((row) => /POST .register.*events/s.test(row.innerText))"


def test_every_page_that_the_docs_show_says_what_they_show_it_for(orchard, tmp_path):
    pictures = Path(os.environ.get("PICTURES", tmp_path))
    orchard.at(SWITCHED)
    person = orchard.person()
    promoted = f"User.objects.filter(username={person.name!r}).update(is_staff=True)"
    orchard.manage("shell", "-c", f"from monolith.accounts.models import User; {promoted}")
    report = tmp_path / "report.html"
    subprocess.run([sys.executable, "-m", "strangler", "report", str(report), str(ROOT / "monolith")], check=True)
    with a_browser() as browser:
        browser.look(width=1100)
        for name, address, shown, height in (
            ("orchard", orchard.url() + "/products/", "All products", 500),
            ("mailbox", orchard.url("aws") + "/mailbox/", "Welcome to Orchard", 240),
            ("map", report.as_uri(), "Apps, and what ties them", 1130),
        ):
            browser.open(address)
            browser.until(f"document.body.innerText.includes({shown!r})")
            browser.picture(pictures / f"{name}.webp", height)
        log_in(browser, orchard.url(), person)
        browser.open(orchard.url() + "/staff/extractions/")
        browser.until(f"document.body.innerText.includes({PLAN!r})")
        browser.until("document.getElementById('live').textContent === 'It is kept current.'")
        browser.picture(pictures / "dashboard.webp", 1000)
        browser.until(f"{REGISTERED} !== undefined")
        browser.run(f"{REGISTERED}.querySelector('a').click()")
        browser.until("document.title.startsWith('POST /register/') && document.readyState === 'complete'")
        assert "sent" in browser.run("document.querySelector('table').innerText")
        browser.picture(pictures / "trace.webp", 420)
    assert all(len(made.read_bytes()) > 5_000 for made in pictures.glob("*.webp"))


def log_in(browser, url, person):
    browser.open(url + "/")
    for cookie in person.client.cookies.jar:
        browser.run(f"document.cookie = '{cookie.name}={cookie.value}; path=/'")
