"""Which rules must be alike is decided purely."""

import pytest

from strangler.split.rules import Kind, Rule, refusals, warnings

MOVED = ("review",)


def rule(kind, text="x", table="review"):
    return Rule(table=table, kind=kind, text=text)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.EXTENSION])
def test_what_only_the_source_has_is_refused_or_said(kind):
    refused = list(refusals([rule(kind)], [], moved=MOVED))
    said = list(warnings([rule(kind)], [], moved=MOVED))
    assert (len(refused), len(said)) == ((0, 1) if kind in (Kind.INDEX, Kind.TRIGGER) else (1, 0))
    assert not list(refusals([rule(kind)], [rule(kind)], moved=MOVED))


def test_what_only_the_target_has_is_refused_where_rows_of_the_source_may_violate_it():
    refused = {kind for kind in Kind if list(refusals([], [rule(kind)], moved=MOVED))}
    assert refused == {
        *(Kind.UNIQUE, Kind.CHECK, Kind.EXCLUSION, Kind.NOT_NULL),
        *(Kind.FOREIGN_KEY, Kind.GENERATED, Kind.COLLATION),
    }


def test_a_copy_of_another_table_may_enforce_less_but_not_more():
    mine, theirs = [rule(Kind.CHECK, "a", "product")], [rule(Kind.CHECK, "b", "product")]
    assert not list(refusals(mine, [], moved=MOVED))
    assert list(refusals(mine, theirs, moved=MOVED)) == [
        'table "product": only the target has the check b, which rows of the source may violate; migrate one of them'
    ]
    assert not list(warnings([rule(Kind.INDEX, table="product")], [], moved=MOVED))


def test_an_extension_belongs_to_no_table():
    assert list(warnings([rule(Kind.EXTENSION, "citext", "")], [], moved=MOVED)) == [
        "only the source's database has the extension citext; the target goes without"
    ]
