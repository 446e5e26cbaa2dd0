"""What people ask of rollouts, on every engine: the last is heard, and all of them stay with who asked."""

import pytest

from strangler.plans.databases import MONOLITH, Databases
from strangler.plans.wishes import Wishes
from strangler.rollout.rollout import Asked, Wish
from strangler.split.store import Database

from .conftest import new_database


@pytest.mark.parametrize("engine", ["postgresql", "mariadb", "mysql", "sqlite"])
def test_the_last_wish_is_heard_until_it_is_fulfilled_and_who_asked_stays(engine, request, tmp_path):
    with new_database(engine, request, tmp_path) as dsn:
        databases = Databases(monolith=Database(name="source", dsn=dsn))
        wishes, others = (Wishes(databases=databases, plan=plan) for plan in ("0001_reviews", "0002_others"))
        wishes.prepare()
        assert wishes.current() == Asked()
        others.ask(Wish.PAUSE, "eve")
        wishes.ask(Wish.PAUSE, "ada")
        wishes.fulfilled(Wish.PAUSE)
        assert wishes.current() == Asked(wish=Wish.PAUSE, who="ada")  # it holds until somebody goes on
        wishes.ask(Wish.PROMOTE, "grace")
        assert wishes.current() == Asked(wish=Wish.PROMOTE, who="grace")
        wishes.fulfilled(Wish.PROMOTE)
        assert wishes.current() == Asked()
        wishes.ask(Wish.PROMOTE, "ada")
        wishes.ask(Wish.ABORT, "grace")
        wishes.fulfilled(Wish.PROMOTE)
        assert wishes.current() == Asked(wish=Wish.ABORT, who="grace")  # asked meanwhile, so not taken back
        wishes.ask(Wish.GO_ON, "ada")
        assert wishes.current() == Asked(wish=Wish.GO_ON, who="ada")
        assert others.current() == Asked(wish=Wish.PAUSE, who="eve")
        with databases.connect(MONOLITH) as store:
            kept = store.query("SELECT wish, who FROM strangler.asked WHERE plan = %s ORDER BY id", ("0001_reviews",))
            age = store.scalar("SELECT max(asked_at) FROM strangler.asked") - store.now()
        assert [tuple(row) for row in kept] == [
            ("pause", "ada"),
            ("promote", "grace"),
            ("promote", "ada"),
            ("abort", "grace"),
            ("go on", "ada"),
        ]
        assert abs(age) < 60
