"""The dashboard over two real databases, while a plan is applied: read, steered, and looked at in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from strangler.plans.recorder import PlanRecorder
from tests.browser import a_browser

from .conftest import HOME, Project, new_project

PEOPLE = """
    from django.contrib.auth.models import Permission, User
    for name, staff in (("ada", True), ("bob", True), ("eve", False)):
        User.objects.create_user(name, is_staff=staff)
    User.objects.get(username="ada").user_permissions.add(Permission.objects.get(codename="steer_rollouts"))
    """
BROWSE = """
    import json
    import re
    from django.contrib.auth.models import User
    from django.test import Client

    HERE = "/staff/extractions/"

    def somebody(name=""):
        client = Client(enforce_csrf_checks=True)
        if name:
            client.force_login(User.objects.get(username=name))
        return client

    def status(name, path="", method="get"):
        answer = getattr(somebody(name), method)(HERE + path)
        answer.close()
        return answer.status_code

    def ask(action, typed="0001_reviews", name="ada"):
        client, path = somebody(name), HERE + "plans/0001_reviews/" + action
        page = client.get(path).content.decode()
        token = re.search('csrfmiddlewaretoken" value="([^"]+)"', page)
        answer = client.post(path, {"typed": typed, "csrfmiddlewaretoken": token[1] if token else ""})
        return [answer.status_code, answer.content.decode()]

    def snapshot():
        return json.loads(somebody("bob").get(HERE + "snapshot.json").content)
    """


@pytest.fixture(scope="module")
def canary(request, tmp_path_factory) -> Iterator[tuple[Project, subprocess.Popen[str]]]:
    """A project whose plan is being applied: nobody reads, so that its canary is not decided. Nothing is asked."""
    home = tmp_path_factory.mktemp("dashboard")
    plans = home / "plans"
    shutil.copytree(HOME / "plans", plans)
    file = plans / "0001_reviews" / "plan.py"
    watched = "patience=600, watch=plans.operations.Watch(soak=600, control=0))"
    assert "limits=None)" in file.read_text()
    file.write_text(file.read_text().replace("[5_000], hold=0, limits=None)", f"[1_000, 5_000], hold=0, {watched}"))
    with ExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("PLANS", str(plans))
        environment.setenv("LOGS", str(logs(home / "logs")))
        project = stack.enter_context(new_project("sqlite", "sqlite", request, home, settings="staffed"))
        project.act(PEOPLE)
        run = project.command("applyplan", "0001_reviews")
        try:
            until_it_says(project, run, step="acknowledged", weight=1_000)
            yield project, run
        finally:
            run.kill()
            run.communicate()


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def logs(folder: Path) -> Path:
    """What two components logged of one request."""
    folder.mkdir()
    for name, at, told in (
        ("proxy", "00.130", {"method": "POST", "path": "/checkout/", "status": 302, "milliseconds": 130.0}),
        ("worker", "01.500", {"level": "ERROR", "message": "task", "task": "mails.send", "milliseconds": 20.5}),
    ):
        line = {"at": f"2026-11-26T10:00:{at}Z", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", **told}
        (folder / f"{name}.log").write_text(json.dumps(line) + "\n")
    return folder


def recorded(project):
    return PlanRecorder(project.records / "0001_reviews" / "record.jsonl", "0001_reviews").entries()


def until_it_says(project, run, since=0, **facts):
    """Wait until the record has an event with these facts, behind so many others."""
    deadline = time.monotonic() + 60
    while not any(facts.items() <= entry.facts.items() for entry in recorded(project)[since:]):
        assert run.poll() is None, run.communicate()[1]
        assert time.monotonic() < deadline, facts
        time.sleep(0.05)


def test_in_a_browser_it_can_be_read_by_everybody_is_live_and_obeys_the_keyboard(canary):
    project, run = canary
    with a_browser() as browser, served(project, "--user", "ada") as address:
        it_is_kept_current(browser, address)
        nothing_is_wrong_with_it_in_any_look(browser, address)
        an_action_is_taken_by_keys_alone(browser, address, project, run)
        it_can_be_read_without_scripts(browser, address)
        a_trace_is_one_click_away(browser, address)
        nobody_gets_in_without_its_secret(address)
    with served(project) as address:
        without_a_user_it_only_shows(address)
    assert project.act(BROWSE + 'facts["asked"] = ask("resume")[0]')["asked"] == 303
    until_it_says(project, run, step="asked", wish="go on", by="ada")


@contextmanager
def served(project, *words):
    """The address of a dashboard of its own."""
    serving = project.command("dashboard", "--port", "0", *words)
    try:
        said = serving.stdout.readline()
        found = re.search(r"http://\S+/", said)
        assert found, said + serving.stderr.read()
        yield found[0]
    finally:
        serving.terminate()
        serving.communicate()


def it_is_kept_current(browser, address):
    browser.open(address)
    browser.until("document.getElementById('live').textContent === 'It is kept current.'")
    browser.run("document.body.dataset.mine = 'yes'; document.getElementById('as-of').textContent = 'long ago'")
    browser.until("document.getElementById('as-of').textContent.startsWith('As of ')")
    assert browser.run("document.body.dataset.mine") == "yes"  # it was not loaded again


AXE = """
;globalThis.check = async () => Object.fromEntries(
  (await axe.run()).violations.map((one) => [one.id, one.nodes.map((node) => node.html)])
)
"""
PAIRS = """
(() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const paper = (one) => {
    for (; one; one = one.parentElement) {
      const found = rgb(getComputedStyle(one).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const one of document.querySelectorAll("body *")) {
    if (![...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const two = [light(rgb(getComputedStyle(one).color)), light(paper(one))].sort((a, b) => b - a);
    const ratio = (two[0] + 0.05) / (two[1] + 0.05);
    if (ratio < 4.5) bad.push(`${one.outerHTML.slice(0, 80)} ${ratio.toFixed(2)}`);
  }
  return bad;
})()
"""
NAMELESS = """
[...document.querySelectorAll(
  "a, button, input:not([type=hidden]), summary, meter, nav, article, section, [role=region]"
)].filter((one) =>
  !(one.getAttribute("aria-label") || document.getElementById(one.getAttribute("aria-labelledby"))?.textContent ||
    one.labels?.length || one.textContent.trim())).map((one) => one.outerHTML)
"""
SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"


def nothing_is_wrong_with_it_in_any_look(browser, address):
    for dark in (False, True):
        for width in (1280, 360):
            browser.look(dark=dark, width=width)
            for page in (address, address + "plans/0001_reviews/pause", address + f"traces/{TRACE}"):
                browser.open(page)
                browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
                assert browser.run(PAIRS) == [], (page, dark, width)
                assert browser.run(NAMELESS) == [], (page, dark, width)
                assert browser.run(SIDEWAYS) <= 0, (page, dark, width)
    browser.look()


def an_action_is_taken_by_keys_alone(browser, address, project, run):
    browser.open(address)
    press_until(browser, "document.activeElement.id === '0001_reviews-pause'")
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press("Enter")
    browser.until("document.title === 'Pause 0001_reviews?' && document.readyState === 'complete'")
    press_until(browser, "document.activeElement.id === 'typed'")
    browser.type("0001_reviews")
    browser.press("Enter")
    browser.until("document.body?.textContent.includes('ada asked for: pause')")
    until_it_says(project, run, step="asked", wish="pause", by="ada")


def press_until(browser, script):
    for _ in range(60):
        if browser.run(script):
            return
        browser.press("Tab")
    raise AssertionError(f"no key leads there: {script}")


def it_can_be_read_without_scripts(browser, address):
    browser.without_scripts()
    browser.open(address)
    text = browser.run("document.body.innerText")
    assert "monolith owns, 10% of the reads go to reviews" in browser.run("document.getElementById('said').textContent")
    assert "Can I go back" in text
    assert "It is not renewed by itself" in text


def a_trace_is_one_click_away(browser, address):
    browser.open(address)
    assert "failed POST /checkout/ 302" in " ".join(browser.run("document.getElementById('traces').innerText").split())
    browser.run(f"document.getElementById('trace-{TRACE}').click()")
    browser.until("document.title === 'POST /checkout/ 302, over all components' && document.readyState === 'complete'")
    told = " ".join(browser.run("document.querySelector('table').innerText").split())
    assert "1479.5 ms worker" in told, told
    assert "20.5 ms failed ERROR task mails.send" in told, told


def nobody_gets_in_without_its_secret(address):
    root = address.split("/", 3)[2]
    for path in ("", "events", "snapshot.json", "x" * 24 + "/", "dashboard.js"):
        assert httpx.get(f"http://{root}/{path}", trust_env=False).status_code == 404
    assert httpx.get(address, headers={"Host": "evil.example"}, trust_env=False).status_code == 404
    assert httpx.get(address + "nothing.css", trust_env=False).text == "there is no such page\n"


def without_a_user_it_only_shows(address):
    found = json.loads(httpx.get(address + "snapshot.json", trust_env=False).text)
    assert [action["name"] for action in found["plans"][0]["actions"]] == ["resume", "promote", "abort"]
    page = httpx.get(address, trust_env=False).text
    assert re.findall('href="plans/0001_reviews/([a-z]+)"', page) == ["record"]
    refused = httpx.get(address + "plans/0001_reviews/abort", trust_env=False)
    assert (refused.status_code, "permission" in refused.text) == (403, True)


def test_axe_finds_nothing_in_it(canary):
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip("there is no axe here; install the package axe-playwright-python")
    project, _ = canary
    rules = Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8")
    with a_browser() as browser, served(project, "--user", "ada") as address:
        browser.run(rules + AXE)  # it finds what is planted, so that nothing means something
        assert {"image-alt", "html-has-lang"} <= set(browser.run("document.body.innerHTML = '<img>'; check()"))
        for dark in (False, True):
            browser.look(dark=dark)
            for page in ("", "plans/0001_reviews/pause", "plans/0001_reviews/record", f"traces/{TRACE}"):
                browser.open(address + page)
                browser.run(rules + AXE)
                browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
                assert browser.run("check()") == {}, (page, dark)


def test_a_rollout_is_steered_from_the_page_and_the_record_says_by_whom(canary):
    project, run = canary
    what_cannot_be_served_by_itself_is_told_in_a_sentence(project)
    the_page_is_for_the_staff_and_actions_for_whoever_has_the_permission(project)
    what_is_not_confirmed_or_not_offered_is_not_asked(project)
    it_tells_what_the_databases_and_the_record_say(project)
    changes_come_as_events(project)
    held_it_stays_and_pushed_it_switches(project, run)
    reversed_it_is_the_monoliths_again(project, run)


def what_cannot_be_served_by_itself_is_told_in_a_sentence(project):
    facts = project.act(
        """
    from strangler.dashboard import standalone
    from strangler.errors import StranglerError

    def refusal(*words):
        try:
            standalone.start(*words)
        except StranglerError as error:
            return str(error)

    facts["eve"], facts["nobody"], facts["port"] = refusal(0, "eve"), refusal(0, "nobody"), refusal(70_000)
    """
    )
    assert facts["eve"] == 'the user "eve" is not of the staff'
    assert facts["nobody"] == 'there is no user "nobody"'
    assert facts["port"].startswith("port 70000 cannot be used")


def the_page_is_for_the_staff_and_actions_for_whoever_has_the_permission(project):
    facts = project.act(
        BROWSE
        + """
    paths = ["", "events", "snapshot.json", "traces/TRACE", "plans/0001_reviews/record", "plans/0001_reviews/abort"]
    for name in ("", "eve", "bob", "ada"):
        facts[name] = [status(name, path) for path in paths]
    facts["to log in"] = somebody().get(HERE)["Location"]
    facts["asset"] = [status("", path) for path in ("dashboard.css", "dashboard.js", "views.py", "nothing.css")]
    unknown = ("plans/0009/record", "plans/0001_reviews/explode", "traces/" + "0" * 32, "traces/checkout")
    facts["unknown"] = [status("ada", path) for path in unknown]
    facts["post"] = [status("ada", path, "post") for path in ("", "events", "plans/0001_reviews/abort")]
    page = somebody("ada").get(HERE)
    facts["headers"] = [page[name] for name in ("Content-Security-Policy", "Cache-Control", "Referrer-Policy")]
    facts["offered"] = re.findall('href="plans/0001_reviews/([a-z]+)"', page.content.decode())
    facts["to bob"] = re.findall('href="plans/0001_reviews/([a-z]+)"', somebody("bob").get(HERE).content.decode())
    facts["other"] = ask("abort", name="bob")[0]
    """.replace("TRACE", TRACE)
    )
    assert facts[""] == [302] * 6
    assert facts["to log in"] == "/login/?next=%2Fstaff%2Fextractions%2F"
    assert facts["eve"] == [403] * 6
    assert facts["bob"] == [200] * 5 + [403]
    assert facts["ada"] == [200] * 6
    assert facts["asset"] == [200, 200, 404, 404]
    assert facts["unknown"] == [404] * 4
    assert facts["post"] == [403] * 3  # for the missing token
    assert facts["headers"][0].startswith("default-src 'none'")
    assert facts["headers"][1:] == ["no-store", "same-origin"]
    assert facts["offered"] == ["record", "pause", "promote", "abort"]
    assert facts["to bob"] == ["record"]
    assert facts["other"] == 403


def what_is_not_confirmed_or_not_offered_is_not_asked(project):
    facts = project.act(
        BROWSE
        + """
    facts["typed"] = ask("abort", typed="0001_review")
    facts["not offered"] = ask("reverse")
    facts["asked"] = snapshot()["plans"][0]["asked"]
    """
    )
    assert facts["typed"][0] == 409
    assert "&quot;0001_review&quot; is not the plan&#x27;s name; type &quot;0001_reviews&quot;" in facts["typed"][1]
    assert facts["not offered"][0] == 403  # there is no page, so no token either
    assert facts["asked"]["wish"] == "go on"


def it_tells_what_the_databases_and_the_record_say(project):
    (plan,) = project.act(BROWSE + 'facts["plans"] = snapshot()["plans"]')["plans"]
    status = plan["status"]
    assert (status["owner"], status["term"], status["reads_to_service"], status["half_done"]) == (
        "monolith",
        1,
        10,
        True,
    )
    assert plan["routes"][0]["reads_to_other"] == 10
    assert [(table["name"], table["owner"]) for table in plan["tables"]] == [
        ("shop_review", "monolith"),
        ("shop_vote", "monolith"),
        ("shop_product", "monolith"),
    ]
    shown = project.start("-m", "strangler", "status").communicate(timeout=60)
    assert "0001_reviews: monolith owns, 10% of the reads go to reviews" in shown[0], shown[1]
    (judged,) = plan["judged"]
    assert judged["verdict"]["outcome"] == "inconclusive"
    assert "of 100 that are asked for" in judged["verdict"]["reason"]
    assert plan["troubles"] == []


def changes_come_as_events(project):
    facts = project.act(
        BROWSE
        + """
    from strangler.dashboard import views
    answer = somebody("bob").get(HERE + "events")
    facts["kind"] = [answer["Content-Type"], answer["Cache-Control"]]
    stream = iter(answer.streaming_content)
    next(stream)
    facts["sections"] = sorted(json.loads(next(stream).decode().removeprefix("data: ")))
    others = [somebody("bob").get(HERE + "events") for _ in range(4)]
    facts["others"] = [other.status_code for other in others]
    for one in (answer, *others):
        one.close()
    facts["again"] = status("bob", "events")
    """
    )
    assert facts["kind"] == ["text/event-stream", "no-store"]
    assert {"said", "proxies", "happenings", "traces", "0001_reviews-now", "0001_reviews-rollout"} <= set(
        facts["sections"]
    )
    # One stream is open, and a process has four.
    assert facts["others"] == [200, 200, 200, 503]
    assert facts["again"] == 200


def held_it_stays_and_pushed_it_switches(project, run):
    since = len(recorded(project))
    assert project.act(BROWSE + 'facts["asked"] = ask("pause")[0]')["asked"] == 303
    until_it_says(project, run, since, step="asked", wish="pause", by="ada")
    facts = project.act(
        BROWSE
        + """
    (plan,) = snapshot()["plans"]
    facts["asked"] = plan["asked"]
    facts["offered"] = [action["name"] for action in plan["actions"]]
    facts["promoted"] = ask("promote")[0]
    """
    )
    assert facts == {
        "asked": {"wish": "pause", "who": "ada"},
        "offered": ["resume", "promote", "abort"],
        "promoted": 303,
    }
    until_it_says(project, run, step="acknowledged", weight=5_000)
    assert project.act(BROWSE + 'facts["asked"] = ask("promote")[0]')["asked"] == 303
    until_it_says(project, run, step="watch", term=2)


def reversed_it_is_the_monoliths_again(project, run):
    facts = project.act(
        BROWSE
        + """
    (plan,) = snapshot()["plans"]
    facts["owner"] = plan["status"]["owner"]
    facts["offered"] = [action["name"] for action in plan["actions"]]
    facts["reversed"] = ask("reverse")[0]
    """
    )
    assert facts == {"owner": "reviews", "offered": ["pause", "promote", "reverse"], "reversed": 303}
    said = run.communicate(timeout=60)[1]
    assert "the monolith owns and answers everything again: it was aborted" in said
    facts = project.act(
        BROWSE
        + """
    import time
    time.sleep(1.1)  # as long as what was collected is kept
    (plan,) = snapshot()["plans"]
    facts["owner"] = plan["status"]["owner"]
    facts["offered"] = plan["actions"]
    facts["verdicts"] = [verdict["asked"] for verdict in plan["verdicts"]]
    """
    )
    assert facts == {"owner": "monolith", "offered": [], "verdicts": ["abort", "promote", "promote"]}
    asked = [entry.facts for entry in recorded(project) if entry.facts.get("step") == "asked"]
    assert [(facts["wish"], facts["by"]) for facts in asked][-4:] == [
        ("pause", "ada"),
        ("promote", "ada"),
        ("promote", "ada"),
        ("abort", "ada"),
    ]
