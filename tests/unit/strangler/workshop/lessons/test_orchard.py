"""The learner's Orchard, where something is in its way: ports, stopped parts, a plan that does not go on."""

import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from strangler.deploy.supervisor import Process, Supervisor
from strangler.errors import StranglerError
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.orchard import PARTS, away, bring, standing
from strangler.workshop.lessons.step import step


@dataclass(frozen=True, kw_only=True)
class Told(Bench):
    """A bench whose programs are not run; what each would say is given, by a word of its command."""

    says: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    def run(self, *command, seconds=0, folder="."):
        self.ran.append(" ".join(command[1:]))
        failed = [text for word, text in self.says.items() if word in command]
        return subprocess.CompletedProcess(command, returncode=len(failed), stdout="", stderr="".join(failed))


def told(tmp_path, **says):
    project = tmp_path / "project"
    project.mkdir()
    return Told(home=tmp_path / "mine", project=project, says=says)


@pytest.mark.parametrize("position", ["zero", "stopped"])
def test_it_takes_other_ports_where_the_usual_ones_are_in_use(tmp_path, position):
    bench = told(tmp_path)
    with socket.socket() as theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody else listens there already
            theirs.bind(("127.0.0.1", 8003))
            theirs.listen()
        bring(bench, position, lambda text: None)
    assert bench.ran == ["-m strangler.workshop up"] * (position != "stopped")
    assert 8003 not in bench.instance.ports.values()


def test_it_takes_others_too_where_its_own_are_in_use_since(tmp_path):
    bench = told(tmp_path)
    bench.instance.prepare(None)
    had = bench.instance.ports
    bring(bench, "stopped", lambda text: None)
    assert bench.instance.ports == had
    with socket.create_server(("127.0.0.1", had["reviews"])):
        bring(bench, "stopped", lambda text: None)
    assert had["reviews"] not in bench.instance.ports.values()


def test_what_keeps_it_from_starting_is_told_in_its_own_words(tmp_path):
    bench = told(tmp_path, up="Traceback\nport 8003, for payment, is in use; stop what listens there\n")
    with pytest.raises(StranglerError, match="Orchard does not start: port 8003, for payment, is in use"):
        bring(bench, "zero", lambda text: None)


def test_a_plan_that_does_not_come_to_where_a_step_begins_is_told(tmp_path):
    bench = told(tmp_path, applyplan='a line before\nservice "reviews" does not answer\n')
    with pytest.raises(StranglerError, match='the plan did not come to operation 6: service "reviews" does not'):
        bring(bench, "6", lambda text: None)


def test_what_was_in_the_databases_and_journals_is_gone_where_a_step_begins_anew(tmp_path):
    bench = told(tmp_path)
    home = bench.instance.home
    for name in ("postgres/orchard/PG_VERSION", "record/0001_reviews/record.jsonl", "journal.jsonl", "problems.json"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("")
    bring(bench, "stopped", lambda text: None)
    assert {path.name for path in home.iterdir()} <= {"processes", "ports.json", "secrets"}
    assert bench.ran == []


def test_people_who_still_shop_are_sent_away_before_their_journal_is_read(tmp_path):
    bench = told(tmp_path)
    bench.instance.home.mkdir(parents=True)
    (bench.instance.home / "journal.jsonl").touch()
    supervisor = Supervisor(home=bench.instance.home / "processes")
    try:
        supervisor.start(Process(name="shoppers", command=["sleep", "60"]))
        (found,) = step(9).check(bench)
    finally:
        supervisor.stop("shoppers")
    assert str(found).startswith('- people still shop\n  look at: "python -m strangler.workshop stop shoppers"')
    assert [one.what for one in step(9).check(bench)] == ["Orchard does not run"]


def test_parts_that_are_stopped_are_told_with_their_log_and_the_way_to_start_them(tmp_path):
    bench = told(tmp_path)
    supervisor = Supervisor(home=bench.instance.home / "processes")
    names = [name for name in PARTS if name not in {"reviews", "replicate"}]
    try:
        for name in names:
            supervisor.start(Process(name=name, command=["sleep", "60"]))
        found = away(bench)
        assert standing(bench) == found
    finally:
        for name in names:
            supervisor.stop(name)
    assert str(found) == (
        "- of Orchard, reviews, replicate does not run\n"
        '  look at: ".run/orchard/processes/reviews.log"; "make up" starts it again'
    )
    assert 'Orchard does not run\n  look at: "make up"' in str(away(bench))


def test_a_shell_knows_the_running_orchard_and_leaves_each_project_its_own_settings(tmp_path):
    bench = told(tmp_path)
    bench.own.mkdir(parents=True)
    bench.instance.prepare(None)
    (bench.instance.home / "postgres").mkdir()
    for name in ("orchard", "reviews"):  # as a server that has been started leaves it
        (bench.instance.home / "postgres" / f"{name}.password").write_text("secret")
    bench.instance.write_environment()
    bench.write_entrance()
    asked = "ORCHARD_DATABASE_URL", "DJANGO_SETTINGS_MODULE"
    shell = f'. {bench.own}/env; echo "${{{asked[0]}-none}} ${{{asked[1]}-none}}"'
    said = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True).stdout.split()
    known = bench.instance.environment()["ORCHARD_DATABASE_URL"]
    assert said == [known, "none"]
    assert [bench.environment().get(name, "none") for name in asked] == [known, "none"]
