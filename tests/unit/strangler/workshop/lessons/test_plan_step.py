"""Step 4: what is told to whoever takes a draft as it is, or mends it too far."""

PLAN = "migration_plans/0001_reviews/plan.py"


def test_each_thing_that_is_wrong_with_a_plan_is_told(solved):
    told = solved(
        4,
        (PLAN, '(["reviews.Review", ', '(["reviews.Review", "reviews.Cursor", '),
        (PLAN, 'columns=["id", "username"]', 'columns=["id", "username", "email"]'),
        (PLAN, "        MoveTables", '        ReplicateTable("orders.Order", columns=["id"]),\n        MoveTables'),
        (PLAN, '"/api/reviews/", "/api/products/<pk>/reviews/"', '"/api/"'),
        (PLAN, '        CutForeignKey("reviews.Vote.voter", keep="voter_id", migration=CUT),\n', ""),
        (PLAN, "canary=[5_000]", "canary=[]"),
    )
    for wanted in (
        "reviews.Cursor moves, though it is Orchard's own bookkeeping",
        "accounts.User is copied with email",
        "orders.Order is copied for ever",
        "/api/ goes to the service, which does not answer all",
        "/api/reviews/ goes on to Orchard",
        "reviews.Vote.voter crosses the border and is not cut",
        "the switch has no canary",
        "python manage.py checkplans",
    ):
        assert wanted in told, wanted


def test_a_plan_that_python_cannot_read_is_told_with_its_line(solved):
    assert "line 17" in solved(4, (PLAN, "class Plan(plans.Plan):", "class Plan(plans.Plan)"))
