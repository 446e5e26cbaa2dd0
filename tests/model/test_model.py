"""The intact model keeps every promise, and each broken variant breaks one. Complete searches, at the small bound."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path

import pytest

from strangler.split.cutover import Step

_spec = importlib.util.spec_from_file_location("strangler_model_run", Path(__file__).with_name("run.py"))
assert _spec is not None and _spec.loader is not None
run = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = run
_spec.loader.exec_module(run)

pytestmark = pytest.mark.skipif(
    shutil.which("spin") is None or shutil.which("gcc") is None,
    reason="spin and gcc are not installed (Debian: apt-get install spin gcc)",
)


@pytest.mark.parametrize("world", run.WORLDS)
def test_the_intact_protocol_keeps_every_promise(world: str) -> None:
    outcome = run.check(world, "small")

    assert outcome.complete
    assert outcome.caught is None


@pytest.mark.parametrize("variant", [v for v in run.VARIANTS if not v.harmless], ids=lambda v: v.name)
def test_a_missing_guard_is_caught(variant: run.Variant) -> None:
    assert run.check(variant.world, "small", variant.define).caught


@pytest.mark.parametrize("variant", [v for v in run.VARIANTS if v.harmless], ids=lambda v: v.name)
def test_a_guard_that_is_called_harmless_is(variant: run.Variant) -> None:
    outcome = run.check(variant.world, "small", variant.define)

    assert outcome.complete
    assert outcome.caught is None


def test_every_variant_stands_in_the_model() -> None:
    text = run.MODEL.read_text()

    assert [variant.name for variant in run.VARIANTS if variant.define not in text] == []


def test_the_model_takes_every_step_of_the_cutover_by_its_name() -> None:
    labels = set(re.findall(r"^([A-Z_]+):", run.MODEL.read_text(), re.MULTILINE))

    # DONE is where a cutover stands afterwards; no statement belongs to it.
    assert {step.name for step in Step} - {"DONE"} <= labels


@pytest.mark.parametrize("world", run.WORLDS)
def test_the_large_bound_holds_the_small_one_and_more(world: str) -> None:
    small, large = run.WORLDS[world]["small"], run.WORLDS[world]["large"]

    assert large != small
    assert all(large.get(budget, 0) >= count for budget, count in small.items())
