from strangler_proxy.shadowed import Differing, Noise, Sample, Shadowed

from strangler.rollout.showing import lines

SAMPLE = Sample(request="GET /api/reviews/7/?page=it's", owner="4", candidate="5")
SEEN = Shadowed(
    compared=10,
    different=3,
    dropped=1,
    unclear=2,
    differing=(Differing(endpoint="GET /api/reviews/<n>/", path="$.rating", kind="value", count=3, samples=(SAMPLE,)),),
    noise=(Noise(endpoint="GET /api/reviews/", path="$.at", count=4),),
)


def test_each_difference_is_shown_with_a_line_that_repeats_it():
    assert list(lines(SEEN, "http://127.0.0.1:8002/")) == [
        "10 requests compared, 3 different; 1 dropped, 0 too large, 0 not answered by the owner, 2 writes of which "
        "nothing can be said",
        "3 times value at $.rating of GET /api/reviews/<n>/: 4 became 5",
        "  4 -> 5",
        """    curl -s 'http://127.0.0.1:8002/api/reviews/7/?page=it'"'"'s'""",
        "left out: $.at of GET /api/reviews/: the owner differs from itself there (4 times)",
    ]


def test_a_write_is_not_repeated():
    sample = Sample(request="POST /api/reviews/", owner="201", candidate="500")
    differing = Differing(endpoint="POST /api/reviews/", path="status", kind="value", count=1, samples=(sample,))
    assert list(lines(Shadowed(differing=(differing,)), "http://127.0.0.1:8002/"))[1:] == [
        "1 times value at status of POST /api/reviews/: 201 became 500",
        "  201 -> 500",
    ]


def test_what_proxies_have_shown_is_added_up_and_survives_its_json():
    both = SEEN + SEEN
    (differing,), (noise,) = both.differing, both.noise
    assert (both.compared, both.unclear, differing.count, len(differing.samples), noise.count) == (20, 4, 6, 2, 8)
    assert Shadowed.from_json(both.to_json()) == both
