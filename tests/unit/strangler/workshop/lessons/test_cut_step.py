"""Step 5: what is told to whoever cuts too little, too much, or in the wrong place."""

MODELS = "monolith/reviews/models.py"
MIGRATION = "monolith/reviews/migrations/0002_cut_foreign_keys.py"
PRODUCT = 'on_delete=cascade_while_local, related_name="reviews")\n    author'
AUTHOR = 'on_delete=cascade_while_local, related_name="reviews")\n    rating'
VOTER = 'on_delete=cascade_while_local, related_name="votes")'


def test_each_key_that_is_treated_wrongly_is_told(solved):
    told = solved(
        5,
        (MODELS, PRODUCT, PRODUCT.replace("cascade_while_local", "models.CASCADE")),
        (MODELS, AUTHOR, AUTHOR.replace("cascade_while_local", "models.DO_NOTHING")),
        (MODELS, VOTER, VOTER.replace(")", ", db_constraint=False)")),
        (MIGRATION, '_cut("vote"', '# _cut("vote"'),
    )
    for wanted in (
        "reviews.Review.product has CASCADE",
        "reviews.Review.author has DO_NOTHING: while the reviews are here, they outlive",
        "reviews.Vote.voter has no constraint by its model",
        "does not drop the constraint of reviews.Vote.voter",
        "models and migrations differ",
    ):
        assert wanted in told, wanted


def test_a_field_that_is_gone_is_told(solved):
    key = f"models.ForeignKey(settings.AUTH_USER_MODEL, {VOTER}"
    told = solved(
        5, (MODELS, f"voter = {key}", "voter_id = models.BigIntegerField()"), (MODELS, '"voter"]', '"voter_id"]')
    )
    assert "reviews.Vote.voter is no ForeignKey any more" in told


def test_a_migration_that_python_cannot_read_is_told_with_its_line(solved):
    told = solved(5, (MIGRATION, "import monolith.reviews.deletion", "import monolith.reviews.deletions"))
    assert "does not start: ModuleNotFoundError" in told
    assert 'File "monolith/reviews/migrations/0002_cut_foreign_keys.py", line ' in told
