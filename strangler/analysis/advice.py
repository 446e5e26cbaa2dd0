"""What a person has to do about each kind of coupling that passes a seam's border, because no operation does it."""

from __future__ import annotations

from collections.abc import Mapping

from strangler.analysis.coupling import Kind

ADVICE: Mapping[Kind, str] = {
    Kind.MANY_TO_MANY: "give it a through model, and cut that one's keys",
    Kind.GENERIC_KEY: "no content type reaches over the border: keep its label and the key",
    Kind.INHERITANCE: "a table that is inherited from moves together with its heirs; a class can be copied or left out",
    Kind.JOIN: "ask twice, or go by a copy of the columns",
    Kind.NAVIGATION: "ask the other side by an interface, many rows at once",
    Kind.PER_ROW: "fetch the rows of all at once first, or each becomes a call",
    Kind.READ: "ask the other side by an interface, or go by a copy",
    Kind.OBSERVED: "a trace saw it, the code does not show it: find what asks there, and ask the other side",
    Kind.WRITE: "only the owner may write: call it, or let it do so on an event",
    Kind.HIDDEN_WRITE: "whoever saves the row does not see it: send an event after the commit, and let the owner write",
    Kind.SQL: "only one side's tables can be named in a statement",
    Kind.SIGNAL: "becomes an event that is sent after the commit",
    Kind.ADMIN: "these pages read and write rows that will be elsewhere",
    Kind.SOFT_KEY: "the key stays valid, but nobody deletes after it",
    Kind.IMPORT: "goes through an interface that can be here or there",
    Kind.LATE_IMPORT: "goes through an interface that can be here or there",
    Kind.STRING_IMPORT: "goes through an interface that can be here or there",
    Kind.TYPE_IMPORT: "name the type of the interface, or none",
    Kind.TASK: "is enqueued by its name, on the queue of its owner",
    Kind.URL: "the other side's routes have no names here: link by its address",
    Kind.PREFIX: "the prefix cannot be handed over whole: route by this pattern, or give it a prefix of its own",
    Kind.PERMISSION: "the service asks its own identity for it",
    Kind.SETTING: "both sides are given it; change them together",
    Kind.SESSION: "a service sees no session; pass what it needs",
    Kind.CACHE: "two processes may not share this cache",
    Kind.TEMPLATE: "is rendered by one side: pass it the other's data",
    Kind.TAG_LIBRARY: "belongs to whoever renders",
    Kind.MIGRATION: "the service's database has a history of its own: wait for nothing of the other side's",
}
"""What becomes of a coupling over the border. Keys are none of them: the plan cuts them."""
