"""Fakes with the interfaces of the real collaborators: they keep their state in memory and tell what was done."""

from dataclasses import dataclass, field

from strangler.errors import StranglerError
from strangler.plans.schema import Field, Model, Schema
from strangler.rollout.rollout import Asked, Wish
from strangler.split import Side, Step, SwitchReport
from strangler.split.copying import CopyProgress
from strangler.split.status import Routing
from strangler.split.verification import Difference, Verification

OWN = "shop.deletion.unless_moved"
CASCADE = "django.db.models.deletion.CASCADE"


def model(label, *fields):
    key = Field(name="id", column="id", primary_key=True)
    return Model(label=label, table=label.lower().replace(".", "_"), fields=(key, *fields))


def foreign_key(name, references, on_delete=OWN):
    return Field(name=name, column=f"{name}_id", references=references, references_column="id", on_delete=on_delete)


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

    def sql(self, app, name, *, undo=False):
        return [f"ALTER TABLE {app} {'ADD' if undo else 'DROP'};"]


@dataclass
class FakeTraffic:
    events: list

    def hold(self, seconds):
        self.events.append(("hold", seconds))

    def release(self):
        self.events.append(("release",))

    def publish(self, owner, term, n, weight):
        self.events.append(("published", owner, term, n, weight))


@dataclass
class FakeWishes:
    """Wishes in the order in which they are made; a pause is lifted with the next look."""

    asked: list = field(default_factory=list)

    def prepare(self):
        pass

    def current(self):
        if not self.asked:
            return Asked()
        return Asked(wish=self.asked.pop(0) if self.asked[0] is Wish.PAUSE else self.asked[0], who="ada")

    def fulfilled(self, wish):
        if wish is not Wish.GO_ON:
            self.asked.pop(0)


@dataclass
class FakeMove:
    """A move of which only the decisions are real: who owns, term, n and weight."""

    events: list
    owner: Side = Side.SOURCE
    term: int = 1
    n: int = 0
    weight: int = 0
    shadow: int = 0
    early: bool = False
    equal: bool = True
    switch_fails: bool = False
    done: bool = False
    warnings: tuple = ()

    def create(self):
        self.events.append(("create",))
        return list(self.warnings)

    def copy(self, on_progress):
        on_progress(CopyProgress(table="reviews_review", rows=3, total=3, done=True))
        self.events.append(("copy",))

    def catch_up(self, seconds):
        self.events.append(("catch up",))

    def verify(self):
        wrong = Difference(table="reviews_review", key=("2",), what="title differs")
        return Verification(rows=3, differences=() if self.equal else (wrong,))

    def switch(self, to, traffic, on_step):
        if self.switch_fails:
            raise StranglerError("lag is over the limit")
        on_step(Step.FENCE, {"attempt": 1})
        self.owner, self.term, self.n, self.weight, self.shadow, self.early = to, self.term + 1, 0, 0, 0, False
        traffic.publish(to, self.term, 0, 0)
        verified = Verification(rows=0, differences=())
        return SwitchReport(owner=to, term=self.term, pause_ms=12.0, changes=0, verified=verified)

    def recover(self, traffic, on_step):
        self.events.append(("recover",))

    def set_weight(self, weight, shadow, early):
        self.n, self.weight, self.shadow, self.early = self.n + 1, weight, shadow, early
        return self.routing()

    def routing(self):
        return Routing(
            owner=self.owner, term=self.term, n=self.n, weight=self.weight, shadow=self.shadow, early=self.early
        )

    def complete(self, traffic, on_step):
        self.done = True

    def cancel(self):
        self.events.append(("cancel",))

    def effects(self):
        yield "CREATE SCHEMA strangler;"
