"""The gateway's steps with what they need, in the order in which requests meet them."""

from __future__ import annotations

from strangler_proxy.documents import Documents
from strangler_proxy.identity import Identities
from strangler_proxy.jwks import KeySets
from strangler_proxy.keys import Developers, KeyStore
from strangler_proxy.people import People
from strangler_proxy.shared import Shared
from strangler_proxy.steps.authorizing import Authorizing
from strangler_proxy.steps.buckets import Buckets, OwnBuckets
from strangler_proxy.steps.caching import Caching
from strangler_proxy.steps.chain import Chain
from strangler_proxy.steps.describing import Describing
from strangler_proxy.steps.limits import Limits
from strangler_proxy.steps.mocking import Mocking
from strangler_proxy.steps.quotas import Quotas
from strangler_proxy.steps.shared_buckets import SharedBuckets
from strangler_proxy.steps.shared_windows import SharedWindows
from strangler_proxy.steps.throttling import Throttling
from strangler_proxy.steps.transforming import Transforming
from strangler_proxy.steps.using import Using
from strangler_proxy.steps.validating import Validating
from strangler_proxy.steps.versioning import Versioning
from strangler_proxy.steps.windows import OwnWindows, Windows
from strangler_proxy.table import TableStore
from strangler_proxy.tokens import Bearers
from strangler_proxy.usage import Usage


def chain(
    *,
    store: TableStore,
    identities: Identities,
    keys: KeyStore,
    usage: Usage,
    quotas: OwnWindows,
    cache: Caching,
    documents: Documents,
    shared: Shared | None,
) -> Chain:
    """All steps, that count together with other processes where there is something shared."""
    buckets: Buckets = OwnBuckets()
    windows: Windows = quotas
    if shared is not None:
        buckets = SharedBuckets(shared=shared, own=buckets)
        windows = SharedWindows(shared=shared, own=quotas)
    return Chain(
        steps=(
            Versioning(),
            Authorizing(
                bearers=Bearers(keys=KeySets()),
                people=People(identities=identities, monolith=lambda: store.table.upstream(store.table.default)),
                developers=Developers(store=keys, table=lambda: store.table),
            ),
            Using(usage=usage),
            Limits(),
            Throttling(buckets=buckets),
            Quotas(windows=windows, table=lambda: store.table),
            Describing(documents=documents, table=lambda: store.table),
            Transforming(),
            Validating(documents=documents),
            Mocking(documents=documents),
            cache,
        )
    )
