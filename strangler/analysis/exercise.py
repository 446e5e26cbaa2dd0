"""An exercise to go with a drafted plan: its steps, how to check each, and hints in levels. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strangler.analysis.advice import ADVICE
from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.drafting import Draft, is_resolved
from strangler.analysis.seams import Seam

_SHOWN = 5
"""Lines of a kind that the text names; tasks.md has all."""
_DOES = {
    "CutForeignKey": (
        "The constraint goes, the column and the field stay.",
        "The migration that it names must be there: `python manage.py cutforeignkeys` writes it.",
        "What did the database do by itself on a delete, and who does it from now on?",
    ),
    "ReplicateTable": (
        "The service gets a copy of what it reads of others, and the copy follows.",
        "Name only columns that are read: each further one is copied for ever.",
        "How old may the copy be before somebody notices?",
    ),
    "MoveTables": (
        "The tables are copied while people write, what they wrote follows, and both sides are compared.",
        "A table that should stay is taken out of the list; then its keys over the border are cut as well.",
        "Which step grows with the table, and which with the rate of writes?",
    ),
    "MoveRoutes": (
        "Some of the reads go to the service, and only where it is as good all go; then it owns the rows.",
        "`python manage.py rollout {name} differences` shows where its answers are others.",
        "Between the fence and the commit nobody owns the rows. What does a person see who writes in that moment?",
    ),
    "RetireTables": (
        "What is left of the tables goes. There is no way back behind it.",
        "Nothing may read the old rows any more: see what `tasks.md` says of statements and admin pages.",
        "How would you find out that somebody still reads them?",
    ),
}
"""(what happens, where to look, what to ask oneself) of each operation that a draft has."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """What the commands of the text name: the plan's folder's name, and the project's folder."""

    plan: str
    project: str


def exercise(seam: Seam, draft: Draft, places: Places) -> str:
    """The text, in Markdown."""
    return "\n".join(
        [
            f"# Exercise: {seam.name} leaves",
            "",
            f"{', '.join(seam.models)} move to a service of their own, while people go on writing them.",
            "You make the code fit for it first, then take the plan one operation at a time, and then everything back.",
            "",
            "You need the project's databases and the service's. All commands are typed in the project's directory.",
            "Of each hint open one level only, and try again.",
            "",
            *_before(seam, places),
            *_code(seam, places),
            *_steps(draft, places),
            *_after(seam, draft, places),
        ]
    )


def _before(seam: Seam, places: Places) -> Iterator[str]:
    few, many = seam.places
    yield "## Before"
    yield ""
    yield f"Its border is passed at {many} lines, in {few} functions and classes. Read the plan, the tasks, and this:"
    yield ""
    yield from _commands(
        f"strangler propose {places.project} --seam {seam.name}",
        "python manage.py checkplans",
        f"python manage.py showplans {places.plan}",
    )
    yield "Write the border down as it is today. From now on a build can hold it, and it may only shrink:"
    yield ""
    contract = f"contracts/{places.plan}.json"
    yield from _commands(
        f"strangler contracts {contract} {places.project} --write {seam.name}",
        f"strangler contracts {contract} {places.project}",
    )


def _code(seam: Seam, places: Places) -> Iterator[str]:
    """One task for each kind of coupling that no operation resolves."""
    kinds: dict[Kind, list[Coupling]] = {}
    for coupling in (*seam.into, *seam.out):
        if coupling.kind in ADVICE and not is_resolved(coupling, seam):
            kinds.setdefault(coupling.kind, []).append(coupling)
    yield "## Make the code fit"
    yield ""
    for number, kind in enumerate((kind for kind in Kind if kind in kinds), 1):
        found = kinds[kind]
        yield f"**{number}. {kind}**, {len(found)} of them. Goal: none passes the border any more."
        yield ""
        yield from (f"- `{coupling}`" for coupling in found[:_SHOWN])
        if len(found) > _SHOWN:
            yield f"- and {len(found) - _SHOWN} more in tasks.md"
        yield ""
        yield "Check; what is gone must be taken out of the contract, and does not come back:"
        yield ""
        yield from _commands(
            f"strangler map {places.project} --lines --kind '{kind}'",
            f"strangler contracts contracts/{places.plan}.json {places.project} --shrink",
        )
        yield from _hints(
            f"Look at the first line, `{found[0].path}:{found[0].line}`: who needs what of whom there?",
            f"What helps: {ADVICE[kind]}.",
        )


def _steps(draft: Draft, places: Places) -> Iterator[str]:
    yield "## Take the plan, one operation at a time"
    yield ""
    last = ""
    for number, operation in enumerate(draft.operations, 1):
        kind = operation.partition("(")[0]
        does, where, ask = _DOES[kind]
        yield f"**{number}.** `{operation}`"
        yield ""
        final = " --final" if kind.startswith("Retire") else ""
        yield from _commands(
            f"python manage.py sqlplan {places.plan} {number}{final}",
            f"python manage.py applyplan {places.plan} {number}{final}",
            f"python manage.py planstatus {places.plan}",
        )
        if kind != last:
            yield f"{does} {ask}"
            yield ""
            yield from _hints(
                where.format(name=places.plan),
                "A run that failed or was killed goes on with the same command; `planstatus` says which one is next.",
            )
        last = kind


def _after(seam: Seam, draft: Draft, places: Places) -> Iterator[str]:
    final = next((n for n, op in enumerate(draft.operations, 1) if op.startswith("Retire")), len(draft.operations) + 1)
    yield "## Break it, and go back"
    yield ""
    yield "Kill `applyplan` in the middle of an operation, and see what `planstatus` says. Start two at once. Write"
    yield f"past the gateway to a table that the service owns. Then, before operation {final}, take all back:"
    yield ""
    yield from _commands(f"python manage.py applyplan {places.plan} zero", f"python manage.py planstatus {places.plan}")
    yield "## Questions"
    yield ""
    questions = [
        *(f"`{table}` is written on both sides. Who may, from now on?" for table in seam.several_writers[:_SHOWN]),
        *(f"`{name}` writes on both sides. What if the second write fails?" for name in seam.transactions[:_SHOWN]),
        *(f"`{table}` stays with the rest. How old may the service's copy be?" for table in seam.replicated[:_SHOWN]),
        "Which of the tasks could stay undone, and what would be the price?",
        "What would you have cut instead? Compare: `strangler propose` has the other seams.",
    ]
    yield from (f"{number}. {question}" for number, question in enumerate(questions, 1))
    yield ""


def _commands(*commands: str) -> Sequence[str]:
    return ["```console", *(f"$ {command}" for command in commands), "```", ""]


def _hints(*hints: str) -> Iterator[str]:
    for number, hint in enumerate(hints, 1):
        yield f"<details><summary>Hint {number}</summary>{hint}</details>"
    yield ""
