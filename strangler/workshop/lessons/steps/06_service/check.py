"""Step 6: does the service keep what the parts promise each other?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from strangler.analysis.project import ModelSummary
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.mapping import map_of
from strangler.workshop.lessons.probing import ask

_SERVICE = "extracted/reviews"
_CODE = f"{_SERVICE}/reviews_service"
_CONTRACTS = "docs/contracts.md"
_MOVED = ("reviews.Review", "reviews.Vote")
_COPIES = {"catalog_product": ["id", "name"], "accounts_user": ["id", "username"]}
_FENCE = "reviews_service.fence.FenceMiddleware"
_IDENTITY = "reviews_service.identity.IdentityAuthentication"


def check(bench: Bench) -> list[Finding]:
    """Tables, routes and settings of the service beside those of Orchard and the contracts."""
    said, broken = ask(bench, "service_probe.py", _SERVICE)
    if broken is not None:
        return [broken]
    return [
        *_moved(bench, said["tables"]),
        *_copies(said),
        *_unmigrated(said),
        *_routes(said),
        *_refusals(said),
        *_callers(said),
    ]


def _moved(bench: Bench, tables: Mapping[str, list[str]]) -> Iterator[Finding]:
    models = {model.label: model for model in map_of(bench).summary.models}
    for label in _MOVED:
        model = models[label]
        if model.table not in tables:
            what = f'the service has no table "{model.table}", in which the rows of {label} would arrive'
            yield Finding(what=what, where=f"{_CODE}/reviews/models.py, and {_CONTRACTS}: Databases")
        elif different := sorted(_columns(model) ^ set(tables[model.table])):
            what = f'"{model.table}" is not the same on both sides: {", ".join(different)}'
            yield Finding(what=what, where=f"{_CODE}/reviews/models.py beside monolith/{model.path}")


def _columns(model: ModelSummary) -> set[str]:
    return {model.key, *model.columns, *(relation.column for relation in model.relations if relation.column)}


def _copies(said: Mapping[str, Any]) -> Iterator[Finding]:
    for table, columns in _COPIES.items():
        found = said["tables"].get(table)
        if found is None:
            what = f'the service has no table "{table}"; a copy has the name that the table has in Orchard'
            yield Finding(what=what, where=f"{_CODE}/reviews/models.py: db_table")
        elif missing := sorted(set(columns) - set(found)):
            what = f'"{table}" lacks {", ".join(missing)}, which the plan copies'
            yield Finding(what=what, where=f"{_CODE}/reviews/models.py beside migration_plans/0001_reviews/plan.py")


def _unmigrated(said: Mapping[str, Any]) -> Iterator[Finding]:
    for change in said["unmigrated"]:
        what = f"the service's models and migrations differ ({change})"
        yield Finding(what=what, where=f"{_CODE}/reviews/migrations; makemigrations writes one, in {_SERVICE}")


def _routes(said: Mapping[str, Any]) -> Iterator[Finding]:
    for path in said["asked"]:
        if path not in said["answered"]:
            what = f'the service does not answer "{path}"'
            yield Finding(what=what, where=f"{_CODE}/urls.py, and {_CONTRACTS}: Reviews API")


def _refusals(said: Mapping[str, Any]) -> Iterator[Finding]:
    if _FENCE not in said["middleware"]:
        what = "a write that meets the fence is answered as any error is: no proxy can send it on to the owner"
        yield Finding(
            what=what, where=f"{_CODE}/fence.py and MIDDLEWARE in settings.py; {_CONTRACTS}: refusal and replay"
        )
    if not said["atomic"]:
        what = "a refused write leaves behind what the request had written before: replay=1 would be a lie"
        yield Finding(what=what, where=f"ATOMIC_REQUESTS in {_CODE}/settings.py; {_CONTRACTS}: refusal and replay")


def _callers(said: Mapping[str, Any]) -> Iterator[Finding]:
    if _IDENTITY not in said["authentication"]:
        what = "everybody is anonymous: the service believes no token, and has no sessions"
        where = f"{_CODE}/identity.py and DEFAULT_AUTHENTICATION_CLASSES in settings.py; {_CONTRACTS}: identity"
        yield Finding(what=what, where=where)
    elif any("SessionAuthentication" in name for name in said["authentication"]):
        what = "the service looks for sessions, which are in Orchard's database"
        yield Finding(what=what, where=f"DEFAULT_AUTHENTICATION_CLASSES in {_CODE}/settings.py")
