"""Step 4: a draft that was read. Does the plan move what should move, and leave the rest?"""

from __future__ import annotations

from collections.abc import Iterator

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.probing import Probed, probe

PLAN = "migration_plans/0001_reviews"
_FILE = f"{PLAN}/plan.py"
_MOVED = {"reviews.Review", "reviews.Vote"}
_ROUTES = {"/api/reviews/", "/api/products/<pk>/reviews/"}
_KEYS = ("reviews.Review.product", "reviews.Review.author", "reviews.Vote.voter")
_COPIES = {"catalog.Product": {"id", "name"}, "accounts.User": {"id", "username"}}


def check(bench: Bench) -> list[Finding]:
    """The plan file by what it comes to, not by how it is written."""
    if bench.text(_FILE) is None:
        where = f'"strangler makeplan reviews monolith --into {PLAN} --exercise"'
        return [Finding(what=f'there is no plan "{_FILE}"', where=where)]
    probed = probe(bench)
    if probed.broken is not None:
        return [probed.broken]
    complaints = [Finding(what=problem, where='"python manage.py checkplans"') for problem in probed.problems]
    if not probed.operations:
        return complaints or [Finding(what="no plan moves the reviews", where=f'{_FILE}: service = "reviews"')]
    return [*complaints, *_tables(probed), *_cuts(probed), *_copies(probed), *_routes(probed), *_end(probed)]


def _tables(probed: Probed) -> Iterator[Finding]:
    moved = {model for operation in probed.of("MoveTables") for model in operation["models"]}
    for model in sorted(moved - _MOVED):
        what = f"{model} moves, though it is Orchard's own bookkeeping: its tasks would find nothing behind the switch"
        yield Finding(what=what, where=f"monolith/reviews/models.py, the docstring of {model.rpartition('.')[2]}")
    for model in sorted(_MOVED - moved):
        what = f"{model} stays: a review and its votes are written together, and their key would cross the border"
        yield Finding(what=what, where=f"{_FILE}, MoveTables")


def _cuts(probed: Probed) -> Iterator[Finding]:
    cut = {operation["field"] for operation in probed.of("CutForeignKey")}
    for key in _KEYS:
        if key not in cut:
            yield Finding(what=f"{key} crosses the border and is not cut", where=f"{_FILE}, CutForeignKey")
    for operation in probed.of("CutForeignKey"):
        if operation["field"] == "reviews.Vote.review":
            yield Finding(what="reviews.Vote.review is cut, though both its ends move", where=f"{_FILE}, CutForeignKey")


def _copies(probed: Probed) -> Iterator[Finding]:
    copied = {operation["model"]: set(operation["columns"]) for operation in probed.of("ReplicateTable")}
    for model in sorted(copied.keys() - _COPIES.keys()):
        what = f"{model} is copied for ever, and only a page of the staff reads it"
        where = "migration_plans/0001_reviews/tasks.md: which line reads it? A person moves that page instead"
        yield Finding(what=what, where=where)
    for model, columns in _COPIES.items():
        if model not in copied:
            yield Finding(what=f"{model} is not copied, and the service shows names", where=f"{_FILE}, ReplicateTable")
            continue
        if more := sorted(copied[model] - columns):
            what = f"{model} is copied with {', '.join(more)}, which the service shows to nobody"
            yield Finding(
                what=what, where="extracted/reviews/reviews_service/reviews/models.py: what it holds of others"
            )
        if less := sorted(columns - copied[model]):
            what = f"{model} is copied without {', '.join(less)}"
            yield Finding(
                what=what, where="extracted/reviews/reviews_service/reviews/models.py: what it holds of others"
            )


def _routes(probed: Probed) -> Iterator[Finding]:
    patterns = {pattern for operation in probed.of("MoveRoutes") for pattern in operation["patterns"]}
    for pattern in sorted(_ROUTES - patterns):
        yield Finding(what=f"{pattern} goes on to Orchard when the reviews have left", where=f"{_FILE}, MoveRoutes")
    for pattern in sorted(patterns - _ROUTES):
        what = f"{pattern} goes to the service, which does not answer all that lies below"
        yield Finding(what=what, where="extracted/reviews/reviews_service/urls.py: what it answers")
    for operation in probed.of("MoveRoutes"):
        if not any(operation["canary"]):
            yield Finding(what="the switch has no canary: all reads go over at once", where=f"{_FILE}, canary=[...]")


def _end(probed: Probed) -> Iterator[Finding]:
    if not probed.of("RetireTables"):
        what = "the plan never ends: the way back stays open, and the old tables are kept current for ever"
        yield Finding(what=what, where=f"{_FILE}: RetireTables, at the end")
