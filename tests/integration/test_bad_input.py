"""One clear sentence, an exit status other than 0, and nothing changed."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from strangler.deploy.ports import free_port

ROOT = Path(__file__).parents[2]
PATH = os.pathsep.join([str(ROOT), str(ROOT / "proxy")])


def manage(*arguments, **environment):
    given = {"PYTHONPATH": PATH, "DJANGO_SETTINGS_MODULE": "monolith.settings", "ORCHARD_DEBUG": "1", **environment}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **given}, capture_output=True, text=True, check=False)


def one_sentence(done):
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture
def databases(source_dsn, target_dsn, tmp_path):
    return {
        "ORCHARD_DATABASE_URL": source_dsn,
        "STRANGLER_SOURCE_DSN": source_dsn,
        "STRANGLER_REVIEWS_DSN": target_dsn,
        "STRANGLER_RECORDS": str(tmp_path),
    }


def test_a_database_that_does_not_run_is_named(databases):
    nowhere = f"postgresql://strangler:secret@127.0.0.1:{free_port()}/orchard"
    said = one_sentence(manage("applyplan", "0001", **{**databases, "STRANGLER_SOURCE_DSN": nowhere}))
    assert 'cannot connect to the source database "orchard"' in said
    assert "secret" not in said


def test_a_wrong_password_is_told_and_never_printed(databases, source_dsn):
    head, tail = source_dsn.rsplit("@", 1)
    wrong = head.rsplit(":", 1)[0] + ":wr0ng-pass@" + tail
    said = one_sentence(manage("applyplan", "0001", **{**databases, "STRANGLER_SOURCE_DSN": wrong}))
    assert "password authentication failed" in said
    assert "wr0ng-pass" not in said


def test_a_dsn_that_cannot_be_read_is_told_without_it(databases):
    said = one_sentence(manage("applyplan", "0001", **{**databases, "STRANGLER_SOURCE_DSN": "postgresql://a:b ad@[::"}))
    assert "the DSN of the source database cannot be read" in said
    assert "b ad" not in said


def test_an_unknown_plan_is_named_with_the_known_ones(databases):
    assert '"0009"' in one_sentence(manage("applyplan", "0009", **databases))


def test_a_database_without_the_tables_is_told_and_left_as_it_was(databases, source_dsn, target_dsn):
    one_sentence(manage("applyplan", "0001", **databases))
    for dsn in (source_dsn, target_dsn):
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT to_regnamespace('strangler')").fetchone() == (None,)


def test_a_port_in_use_is_named_with_its_part(tmp_path):
    base = free_port()
    with socket.create_server(("127.0.0.1", base + 2)):
        done = subprocess.run(
            [sys.executable, "-m", "strangler.workshop", "up"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": PATH, "STRANGLER_RUN": str(tmp_path), "STRANGLER_PORT_BASE": str(base)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert f"port {base + 2}, for reviews, is in use" in one_sentence(done)
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize("base", ["80", "forty", "70000"])
def test_a_port_base_that_is_none_is_told(tmp_path, base):
    done = subprocess.run(
        [sys.executable, "-m", "strangler.workshop", "up"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": PATH, "STRANGLER_RUN": str(tmp_path / "run"), "STRANGLER_PORT_BASE": base},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "STRANGLER_PORT_BASE" in one_sentence(done)
    assert not (tmp_path / "run").exists()


def test_too_old_a_python_is_told_before_anything_is_made(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements").mkdir()
    for name in ("dev.txt", "proxy.txt"):
        (tmp_path / "requirements" / name).touch()
    old = tmp_path / "python3.10"
    old.write_text(
        "#!/bin/sh\nshift\n"
        f'exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 4); exec(sys.argv[1])" "$@"\n'
    )
    old.chmod(0o755)
    done = subprocess.run(["make", "setup", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Python 3.10 is too old: django-strangler needs 3.11 or newer" in done.stderr
    assert not (tmp_path / ".venv").exists()
