"""Exercise 1, every command of it, typed in order at a running system, its answers compared."""

import os
import re
import subprocess

import pytest

from strangler.workshop.instance import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

EXERCISE = ROOT / "migration_plans" / "0001_reviews" / "exercise.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands():
    """(command, expected answer) pairs, in order."""
    for block in BLOCK.findall(EXERCISE.read_text()):
        command, answer = None, []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command is not None:
                    yield command, answer
                command, answer = line[2:], []
            else:
                answer.append(line)
        yield command, answer


def answers(expected, given):
    """Whether what was printed is what the text shows; "..." stands for anything, also for several lines."""
    pattern = r"\s*".join(".*" if line.strip() == "..." else re.escape(line.strip()) for line in expected)
    pattern = pattern.replace(re.escape("..."), ".*")
    # Times and numbers will be others.
    pattern = re.sub(r"(\\?[0-9](?:[0-9]|\\?[.,:\-](?=[0-9\\]))*)", lambda found: r"[0-9][0-9.,:\-]*", pattern)
    return re.fullmatch(r"\s*" + pattern + r"\s*", given, re.DOTALL) is not None


def test_every_command_of_the_exercise_answers_as_the_text_shows(orchard):
    orchard.at("zero")
    orchard.record.unlink(missing_ok=True)
    instance = orchard.system.instance
    env = {**os.environ, "STRANGLER_RUN": str(instance.home)}
    ran = 0
    for command, expected in commands():
        shell = f'source "{instance.home}/env" && {command}'
        done = subprocess.run(["bash", "-c", shell], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert answers(expected, done.stdout + done.stderr), (
            f"$ {command}\n{done.stdout}{done.stderr}\n---\n" + "\n".join(expected)
        )
        ran += 1
    assert ran > 10


def test_an_answer_that_differs_in_words_is_not_taken():
    assert answers(["1 plan, nothing to complain about."], "7 plans, nothing to complain about.") is False
    assert answers(["...", "owner  reviews"], "applied 7\nowner  reviews\n") is True
    assert answers(["...", "owner  reviews"], "applied 7\nowner  monolith\n") is False
