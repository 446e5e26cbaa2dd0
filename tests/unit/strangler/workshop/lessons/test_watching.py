"""Checking again whenever something was saved."""

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.watching import watch


def test_it_checks_at_once_and_after_each_change_until_the_step_is_done(tmp_path):
    bench = Bench(home=tmp_path)
    seen = []

    def check():
        seen.append(sorted(path.name for path in tmp_path.iterdir()))
        return len(seen) == 4

    doings = iter(
        [
            lambda: None,
            lambda: (tmp_path / "a.py").write_text("1"),
            lambda: None,
            lambda: (tmp_path / ".run" / "orchard" / "record" / "0001_reviews").mkdir(parents=True),
            lambda: (tmp_path / ".run/orchard/record/0001_reviews/record.jsonl").write_text("{}"),
            (tmp_path / "a.py").unlink,
        ]
    )

    def goes_on():
        next(doings)()
        return True

    watch(bench, check, goes_on)
    assert seen == [[], ["a.py"], [".run", "a.py"], [".run"]]


def test_it_ends_when_the_learner_has_gone(tmp_path):
    watch(Bench(home=tmp_path), lambda: False, lambda: False)
