"""That the mutants can be made; "make mutants" shows that each of them is noticed."""

import pytest

from tests.faults.mutants import ROOT, mutated
from tests.faults.mutations import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_its_guard_still_stands_in_the_code_and_can_be_taken_away(mutant):
    text = mutated(mutant)
    if mutant.file.endswith(".py"):
        compile(text, mutant.file, "exec")
    if mutant.by:
        file, test = mutant.by.split("::")
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


def test_the_names_differ():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
