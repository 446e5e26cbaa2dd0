"""Step 5: three foreign keys are cut, and neither the code nor a deletion notices."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.probing import Probed, probe

_MODELS = "monolith/reviews/models.py"
_KEYS = {
    "reviews.Review.product": "product_id",
    "reviews.Review.author": "author_id",
    "reviews.Vote.voter": "voter_id",
}
_BOTH_WORLDS = ("monolith.reviews.deletion.cascade_while_local", "strangler.deletion.cascade")


def check(bench: Bench) -> list[Finding]:
    """The keys as models, plan and migrations have them."""
    probed = probe(bench)
    if probed.broken is not None:
        return [probed.broken]
    complaints = [Finding(what=problem, where='"python manage.py checkplans"') for problem in probed.problems]
    return [*_models(probed), *complaints, *_migrations(probed), *_unmigrated(probed)]


def _models(probed: Probed) -> Iterator[Finding]:
    for key, column in _KEYS.items():
        given = probed.fields.get(key)
        if given is None or given["kind"] != "ForeignKey":
            what = f"{key} is no ForeignKey any more, and templates, forms and queries go by it"
            yield Finding(what=what, where=f"{_MODELS}: the constraint goes from the database, the field stays")
        elif given["column"] != column:
            yield Finding(what=f'{key} is kept in "{given["column"]}"', where=f'{_MODELS}: rows are in "{column}"')
        elif not given["constraint"]:
            what = f"{key} has no constraint by its model, so that a migration of state would stand between both worlds"
            yield Finding(what=what, where=f"{_MODELS}: leave db_constraint out; the plan's migration drops it")
        elif given["on_delete"].endswith(".DO_NOTHING"):
            what = f"{key} has DO_NOTHING: while the reviews are here, they outlive what they are about"
            yield Finding(what=what, where="monolith/reviews/deletion.py: one for both worlds")
        elif given["on_delete"] not in _BOTH_WORLDS:
            how = given["on_delete"].rpartition(".")[2]
            what = f"{key} has {how}: once its rows have moved, Django would look for them here"
            yield Finding(what=what, where="monolith/reviews/deletion.py: one for both worlds")


def _migrations(probed: Probed) -> Iterator[Finding]:
    named: dict[str, str] = {cut["field"]: cut["migration"] or "" for cut in probed.of("CutForeignKey")}
    for key in _KEYS:
        migration = named.get(key, "")
        model_and_field = key.partition(".")[2].lower()
        if migration not in probed.cuts:
            what = f'the migration "{migration}" that cuts {key} is not there'
            yield Finding(what=what, where='"python manage.py cutforeignkeys 0001_reviews" writes it')
        elif model_and_field not in probed.cuts[migration]:
            what = f'the migration "{migration}" does not drop the constraint of {key}, or not in the database alone'
            where = f"monolith/reviews/migrations/{migration}.py; remove it, and cutforeignkeys writes it anew"
            yield Finding(what=what, where=where)


def _unmigrated(probed: Probed) -> Iterator[Finding]:
    for change in probed.unmigrated:
        what = f"models and migrations differ ({change})"
        yield Finding(what=what, where='"python manage.py makemigrations --check --dry-run"')
