"""Exercise 1, every command of it, typed in order at a running system, its answers compared."""

import os
import subprocess

import pytest

from strangler.workshop.instance import ROOT
from strangler.workshop.lessons.text import commands
from tests.console import answers

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

EXERCISE = ROOT / "migration_plans" / "0001_reviews" / "exercise.md"


def test_every_command_of_the_exercise_answers_as_the_text_shows(orchard):
    orchard.at("zero")
    orchard.record.unlink(missing_ok=True)
    instance = orchard.system.instance
    env = {**os.environ, "STRANGLER_RUN": str(instance.home)}
    ran = 0
    for command, expected in commands(EXERCISE.read_text()):
        shell = f'source "{instance.home}/env" && {command}'
        done = subprocess.run(["bash", "-c", shell], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert answers(expected, done.stdout + done.stderr), (
            f"$ {command}\n{done.stdout}{done.stderr}\n---\n" + "\n".join(expected)
        )
        ran += 1
    assert ran > 10
