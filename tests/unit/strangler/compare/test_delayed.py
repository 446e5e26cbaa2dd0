import time

from strangler.compare.delayed import delaying


def test_only_what_lies_below_the_prefix_waits():
    asked = []
    application = delaying(lambda environ, start: asked.append(environ["PATH_INFO"]) or [b"x"], "/api/reviews/", 0.05)

    def seconds(path):
        began = time.monotonic()
        assert application({"PATH_INFO": path}, None) == [b"x"]
        return time.monotonic() - began

    times = {
        path: min(seconds(path) for _ in range(5)) for path in ("/api/reviews/5/", "/api/reviews/", "/products/x/")
    }
    assert [path for path, took in times.items() if took >= 0.05] == ["/api/reviews/5/"]
    assert set(asked) == set(times)
