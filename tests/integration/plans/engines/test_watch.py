"""A switch that is watched, by the toolkit's own commands: frozen, shown, and decided by a person."""

import shutil

from .conftest import HOME, new_project
from .test_life import BEGIN

COMMANDS = """
    from pathlib import Path
    from django.conf import settings
    from django.core.management.base import CommandError

    settings.STRANGLER = {**settings.STRANGLER, "PLANS": Path(%r)}

    def apply():
        try:
            plan()
        except CommandError as error:
            return str(error)

    def rollout(*words):
        out = io.StringIO()
        call_command("rollout", "0001_reviews", *words, stdout=out)
        return out.getvalue()
    """


def test_a_frozen_plan_is_shown_and_goes_on_when_a_person_says_so(request, tmp_path):
    plans = tmp_path / "plans"
    shutil.copytree(HOME / "plans", plans)
    file = plans / "0001_reviews" / "plan.py"
    watch = "limits=None, watch=plans.operations.Watch(soak=0, patience=0, control=0))"
    file.write_text(file.read_text().replace("limits=None)", watch))
    with new_project("sqlite", "sqlite", request, tmp_path) as project:
        facts = project.act(
            BEGIN
            + COMMANDS % str(plans)
            + """
    facts["first"] = apply()
    facts["shown"] = rollout()
    facts["again"] = apply()
    rollout("promote")
    facts["promoted"] = [apply(), rollout(), flags.moved("reviews")]
    """
        )
    frozen = "the plan is frozen after its switch: inconclusive: 0 writes, of 100 that are asked for"
    assert frozen in facts["first"]
    assert frozen in facts["shown"]
    assert facts["again"] == facts["first"]
    lasts = "switched: the service owns and answers everything\nthe switch lasts\n"
    assert facts["promoted"] == [None, lasts, True]
