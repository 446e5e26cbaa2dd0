from strangler.plans.telling import EVERY, CopyTeller
from strangler.split.copying import CopyProgress


def progress(table, rows, **more):
    return CopyProgress(table=table, rows=rows, total=9, done=False, rate=2.0, left=9 - rows, **more)


def test_one_range_in_a_while_is_told_of_and_the_last_of_each_table():
    events, now = [], [0.0]
    teller = CopyTeller(lambda event, /, **facts: events.append((event, facts)), clock=lambda: now[0])
    for rows in (1, 2, 3):
        teller(progress("review", rows))
    now[0] += EVERY
    teller(progress("review", 4))
    teller(progress("review", 5))
    teller(progress("vote", 1))
    teller(progress("all tables", 0, building="public.by_author"))
    teller.flush()
    told = [(facts.get("table"), facts.get("rows") or facts["what"]) for _, facts in events]
    assert told == [("review", 1), ("review", 4), ("review", 5), ("vote", 1), (None, "public.by_author")]
    assert events[0] == (
        "progress",
        {"table": "review", "rows": 1, "total": 9, "rows_per_second": 2, "seconds_left": 4},
    )
