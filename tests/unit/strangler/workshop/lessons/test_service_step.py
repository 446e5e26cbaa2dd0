"""Step 6: what is told to whoever leaves out a promise."""

CODE = "extracted/reviews/reviews_service"


def test_each_promise_that_is_not_kept_is_told(solved):
    told = solved(
        6,
        (f"{CODE}/settings.py", '    "reviews_service.fence.FenceMiddleware",\n', ""),
        (f"{CODE}/settings.py", '"ATOMIC_REQUESTS": True', '"ATOMIC_REQUESTS": False'),
        (f"{CODE}/settings.py", "reviews_service.identity.Identity", "rest_framework.authentication.Session"),
        (f"{CODE}/urls.py", '    path("api/reviews/<int:pk>/votes/", apis.VoteApi.as_view()),\n', ""),
        (f"{CODE}/reviews/models.py", 'db_table = "catalog_product"', 'db_table = "product"'),
        (f"{CODE}/reviews/models.py", "    body = models", "    text = models"),
    )
    for wanted in (
        "no proxy can send it on to the owner",
        "replay=1 would be a lie",
        "everybody is anonymous",
        'the service does not answer "/api/reviews/1/votes/"',
        'the service has no table "catalog_product"',
        '"reviews_review" is not the same on both sides: body, text',
        "the service's models and migrations differ",
    ):
        assert wanted in told, wanted


def test_a_service_that_does_not_start_is_told_with_the_line(solved):
    told = solved(6, (f"{CODE}/reviews/models.py", "class Review(models.Model):", "class Review(models.Modell):"))
    assert "does not start: AttributeError" in told
    assert 'File "extracted/reviews/reviews_service/reviews/models.py", line ' in told
