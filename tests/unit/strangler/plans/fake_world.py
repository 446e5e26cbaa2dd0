"""Fakes with the interfaces of the real collaborators: they keep their state in memory and tell what was done."""

from dataclasses import dataclass, field

from strangler.errors import StranglerError
from strangler.plans.schema import Field, Model, Schema
from strangler.split.spec import Side

OWN = "shop.deletion.unless_moved"
CASCADE = "django.db.models.deletion.CASCADE"


def model(label, *fields):
    key = Field(name="id", column="id", primary_key=True)
    return Model(label=label, table=label.lower().replace(".", "_"), fields=(key, *fields))


def foreign_key(name, references, on_delete=OWN):
    return Field(name=name, column=f"{name}_id", references=references, on_delete=on_delete)


def schema(product_on_delete=OWN):
    return Schema(
        models=(
            model("catalog.Product", Field(name="name", column="name")),
            model("accounts.User", Field(name="username", column="username")),
            model("reviews.Review", foreign_key("product", "catalog.Product", product_on_delete)),
            model("reviews.Vote", foreign_key("review", "reviews.Review", CASCADE)),
            model("orders.Order", foreign_key("user", "accounts.User", CASCADE)),
        )
    )


@dataclass
class FakeMigrations:
    events: list
    applied: set = field(default_factory=set)

    def is_applied(self, app, name):
        return (app, name) in self.applied

    def apply(self, app, name):
        self.applied.add((app, name))
        self.events.append(("applied", name))

    def unapply(self, app, name):
        self.applied.remove((app, name))
        self.events.append(("unapplied", name))

    def sql(self, app, name):
        return [f"ALTER TABLE {app};"]


@dataclass
class FakeTraffic:
    events: list

    def hold(self, seconds):
        self.events.append(("hold", seconds))

    def release(self):
        self.events.append(("release",))

    def publish(self, owner, term, n, weight):
        self.events.append(("published", owner, term, n, weight))


@dataclass(frozen=True)
class FakeVerification:
    equal: bool
    rows: int = 3

    def __str__(self):
        return "equal" if self.equal else "row 2 of reviews_review differs"


@dataclass(frozen=True)
class FakeReport:
    term: int
    pause_ms: float = 12.0


@dataclass
class FakeMove:
    """A move of which only the decisions are real: who owns, term, n and weight."""

    events: list
    owner: Side = Side.SOURCE
    term: int = 1
    n: int = 0
    weight: int = 0
    equal: bool = True
    switch_fails: bool = False
    done: bool = False

    def create(self):
        self.events.append(("create",))

    def copy(self, on_progress):
        on_progress("reviews_review: 3 of 3")
        self.events.append(("copy",))

    def catch_up(self, seconds):
        self.events.append(("catch up",))

    def verify(self):
        return FakeVerification(self.equal)

    def switch(self, to, traffic, on_step):
        if self.switch_fails:
            raise StranglerError("lag is over the limit")
        self.owner, self.term, self.n, self.weight = to, self.term + 1, 0, 0
        traffic.publish(to, self.term, 0, 0)
        return FakeReport(self.term)

    def recover(self, traffic, on_step):
        self.events.append(("recover",))

    def set_weight(self, weight):
        self.n, self.weight = self.n + 1, weight
        return self.term, self.n, weight

    def routing(self):
        return self.owner, self.term, self.n, self.weight

    def complete(self, traffic, on_step):
        self.done = True

    def cancel(self):
        self.events.append(("cancel",))

    def effects(self):
        yield "CREATE SCHEMA strangler;"
