"""What freshness.py needs of hishel beside what that exports; why requirements/proxy.in names one version."""

import hishel
from hishel._core._headers import parse_cache_control
from hishel._core._spec import get_freshness_lifetime
from hishel._utils import parse_date


def answer(**fields):
    return hishel.Response(200, hishel.Headers({name.replace("_", "-"): value for name, value in fields.items()}))


def test_directives_are_read_into_attributes():
    said = parse_cache_control('max-age=5, s-maxage=6, no-cache="a", must-revalidate, stale-if-error=7')
    assert (said.max_age, said.s_maxage, said.no_cache, said.must_revalidate) == (5, 6, ["A"], True)
    assert (said.stale_if_error, said.stale_while_revalidate, said.proxy_revalidate) == (7, None, False)
    asked = parse_cache_control("no-cache, no-store, only-if-cached, min-fresh=8")
    assert (asked.no_cache, asked.no_store, asked.only_if_cached, asked.min_fresh) == (True, True, True, 8)
    assert parse_cache_control(None).no_cache is False


def test_a_lifetime_is_what_the_answer_says_of_shared_caches():
    assert get_freshness_lifetime(answer(cache_control="max-age=5, s-maxage=6"), True) == 6
    dates = {"date": "Sun, 06 Nov 1994 08:49:37 GMT", "expires": "Sun, 06 Nov 1994 08:50:37 GMT"}
    assert get_freshness_lifetime(answer(**dates), True) == 60


def test_dates_are_seconds_or_none():
    assert parse_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777
    assert parse_date("") is None
