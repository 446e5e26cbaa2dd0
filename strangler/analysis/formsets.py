"""Forms and sets of forms that a factory makes of a model, what they hold, and what their save() gives. Pure."""

from __future__ import annotations

from strangler.analysis.facts import EACH, Step, Value

FACTORIES = frozenset({"modelform_factory", "modelformset_factory", "inlineformset_factory"})
_KINDS = {"modelform_factory": "form"}


def model_given(call: Step) -> Value:
    """What the factory is given as the model whose rows are written: of a parent's, those of the children."""
    number = int(call.name == "inlineformset_factory")
    return call.args[number] if number < len(call.args) else call.keywords.get("model")


def kind_of(call: Step) -> str:
    """What an object of the class that a factory makes is: "form" or "forms"."""
    return _KINDS.get(call.name, "forms")


def step_of(kind: str, step: Step) -> str:
    """What such an object has under a name: "row", "set", "form", "forms", or "" for nothing that is known."""
    if kind == "form":
        return "row" if (step.name == "save" and step.called) or step.name == "instance" else ""
    if step.name in ("save", "get_queryset") and step.called:
        return "set"
    return {EACH: "form", "[]": "form", "forms": "forms", "initial_forms": "forms", "extra_forms": "forms"}.get(
        step.name, ""
    )
