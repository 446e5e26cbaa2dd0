"""The plans' texts: every command of them, typed in order at a running system, its answers compared."""

import os
import subprocess

import pytest

from strangler.workshop.instance import ROOT
from strangler.workshop.lessons.text import commands
from tests.console import answers

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


@pytest.mark.parametrize(("text", "more_than"), [("0001_reviews/exercise.md", 10), ("0002_notifications/README.md", 9)])
def test_every_command_of_the_text_answers_as_it_shows(orchard, text, more_than):
    file = ROOT / "migration_plans" / text
    plan, instance = file.parent.name, orchard.system.instance
    orchard.manage("applyplan", plan, "zero")
    (instance.records / plan / "record.jsonl").unlink(missing_ok=True)
    env = {**os.environ, "STRANGLER_RUN": str(instance.home)}
    ran = 0
    with orchard.visited():
        for command, expected in commands(file.read_text()):
            shell = f'source "{instance.home}/env" && {command}'
            done = subprocess.run(["bash", "-c", shell], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
            assert answers(expected, done.stdout + done.stderr), (
                f"$ {command}\n{done.stdout}{done.stderr}\n---\n" + "\n".join(expected)
            )
            ran += 1
    assert ran > more_than
