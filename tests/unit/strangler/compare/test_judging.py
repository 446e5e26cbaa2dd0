from strangler.compare.intervals import Verdict
from strangler.compare.judging import figures
from strangler.compare.null import mistakes


def by_name(results, route, arm, against="monolith"):
    return {row[0].measure.name: next(f for f in row if f.arm == arm) for row in figures(results, route, against)}


def test_more_of_what_is_good_is_better_and_more_of_what_is_not_is_worse(made):
    results = made({"services": {"throughput": 2, "cpu": 2}})
    found = by_name(results, "light", "services")
    assert (found["throughput"].better, found["cpu"].better, found["p50"].better) == (True, False, None)
    assert (found["throughput"].words, found["cpu"].words) == ("better than monolith", "worse than monolith")
    assert found["p50"].words == "no difference shown"
    assert 1.9 < found["cpu"].ratio.mean < 2.1


def test_the_reference_and_what_tells_of_the_measurement_are_not_judged(made):
    found = by_name(made({"services": {"lag": 9}}), "light", "services")
    assert found["lag"].verdict is None
    assert by_name(made(), "light", "monolith")["cpu"].verdict is None


def test_few_repetitions_give_figures_and_no_verdict(made):
    found = by_name(made({"services": {"cpu": 100}}, repetitions=4), "light", "services")
    assert (found["cpu"].verdict, found["cpu"].better) == (Verdict.TOO_FEW, None)


def test_any_arm_may_be_what_others_are_held_against(made):
    results = made({"modular": {}, "services": {"memory": 2}})
    assert by_name(results, "", "services", "modular")["memory"].better is False
    assert by_name(results, "", "modular", "services")["memory"].better is True


def test_the_null_test_passes_where_only_the_delay_is_found(made):
    assert list(mistakes(made({"again": {}, "delayed": {("light", "p50"): 1.5, ("light", "p99"): 1.2}}))) == []


def test_the_null_test_tells_of_what_is_found_and_is_not_there(made):
    wrong = made({"again": {("page", "cpu"): 1.3}, "delayed": {("light", "p50"): 1.5, "memory": 1.2}})
    assert list(mistakes(wrong)) == [
        'delayed: "memory" is called worse than monolith, and is the same',
        'again: "cpu" of route "page" is called worse than monolith, and is the same',
    ]


def test_the_null_test_tells_of_a_delay_that_is_not_found(made):
    (told,) = mistakes(made({"again": {}, "delayed": {}}))
    assert told == 'delayed: "p50" of route "light" is not called worse, and has 10 ms more: no difference shown'
