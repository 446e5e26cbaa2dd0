from strangler_proxy.shadowed import Differing, Noise, Sample, Shadowed

from strangler.rollout.showing import lines

SAMPLE = Sample(request="GET /api/reviews/7/?page=it's", owner="4", candidate="5")
SEEN = Shadowed(
    compared=10,
    different=3,
    dropped=1,
    differing=(Differing(endpoint="GET /api/reviews/<n>/", path="$.rating", kind="value", count=3, samples=(SAMPLE,)),),
    noise=(Noise(endpoint="GET /api/reviews/", path="$.at", count=4),),
)


def test_each_difference_is_shown_with_a_line_that_repeats_it():
    assert list(lines(SEEN, "http://127.0.0.1:8002/")) == [
        "10 reads compared, 3 different; 1 dropped, 0 too large, 0 not answered by the owner",
        "3 times value at $.rating of GET /api/reviews/<n>/: 4 became 5",
        "  4 -> 5",
        """    curl -s 'http://127.0.0.1:8002/api/reviews/7/?page=it'"'"'s'""",
        "left out: $.at of GET /api/reviews/: the owner differs from itself there (4 times)",
    ]


def test_what_proxies_have_shown_is_added_up_and_survives_its_json():
    both = SEEN + SEEN
    (differing,), (noise,) = both.differing, both.noise
    assert (both.compared, differing.count, len(differing.samples), noise.count) == (20, 6, 2, 8)
    assert Shadowed.from_json(both.to_json()) == both
