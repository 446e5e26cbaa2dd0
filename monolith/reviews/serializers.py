from rest_framework import serializers

from monolith.reviews.models import Review


class AuthorOutput(serializers.Serializer):
    id = serializers.IntegerField()
    username = serializers.CharField()


class ReviewOutput(serializers.ModelSerializer):
    product = serializers.IntegerField(source="product_id")
    product_name = serializers.CharField(source="product.name")
    author = AuthorOutput()
    helpful_votes = serializers.IntegerField()
    votes = serializers.IntegerField()

    class Meta:
        model = Review
        fields = [
            "id",
            "reference",
            "product",
            "product_name",
            "author",
            "rating",
            "title",
            "body",
            "status",
            "helpful_votes",
            "votes",
            "created_at",
            "updated_at",
        ]


class ReviewInput(serializers.Serializer):
    """What a person writes; `reference` makes sending it again harmless."""

    reference = serializers.UUIDField(required=False)
    product = serializers.IntegerField(min_value=1)
    rating = serializers.IntegerField(min_value=1, max_value=5)
    title = serializers.CharField(max_length=200)
    body = serializers.CharField(allow_blank=True, default="")


class ReviewChange(serializers.Serializer):
    rating = serializers.IntegerField(min_value=1, max_value=5, required=False)
    title = serializers.CharField(max_length=200, required=False)
    body = serializers.CharField(allow_blank=True, required=False)
    status = serializers.ChoiceField(choices=Review.Status.choices, required=False)


class VoteInput(serializers.Serializer):
    reference = serializers.UUIDField(required=False)
    helpful = serializers.BooleanField()


class RatingOutput(serializers.Serializer):
    product = serializers.IntegerField()
    average = serializers.FloatField()
    count = serializers.IntegerField()


class ReviewFilter(serializers.Serializer):
    product = serializers.IntegerField(required=False)
    author = serializers.IntegerField(required=False)
    ordering = serializers.CharField(required=False)


class RatingFilter(serializers.Serializer):
    product = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=500
    )
    changed_since = serializers.DateTimeField(required=False)


class ForgetFilter(serializers.Serializer):
    """Exactly one of the two."""

    product = serializers.IntegerField(required=False)
    author = serializers.IntegerField(required=False)

    def validate(self, attrs):
        if len(attrs) != 1:
            raise serializers.ValidationError("Give exactly one of 'product' and 'author'.")
        return attrs
