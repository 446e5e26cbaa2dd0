"""Whatever a request says of its version, it speaks one that is known, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangler_proxy.gateway import Version, Versions
from strangler_proxy.steps.speaking import spoken

KNOWN = (Version(name="v1"), Version(name="v2"))
VALUES = st.lists(
    st.sampled_from([b"v1", b"v2", b"v", b";", b"=", b",", b"q=", b"0.5", b"1e9", b'"', b"\xff", b" ", b"version"])
)


@pytest.mark.parametrize("default", ["", "v1"])
@pytest.mark.parametrize("by", ["path", "header:accept", "media:version"])
@given(st.lists(VALUES.map(b"".join), max_size=3), st.text(max_size=6))
def test_a_version_is_a_known_one_or_none(by, default, values, path):
    fields = tuple((name, value) for value in values for name in (b"Accept", b"Content-Type"))
    found, said = spoken(Versions(known=KNOWN, by=by, default=default), "/api/", f"/api/{path}", fields)
    assert found in (None, *KNOWN)
    assert said or found == ({"v1": KNOWN[0]}.get(default)) or by == "path"
