from rest_framework import serializers

from monolith.catalog.models import Product


class ProductOutput(serializers.ModelSerializer):
    category = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Product
        fields = [
            "id",
            "name",
            "slug",
            "description",
            "price",
            "category",
            "rating_average",
            "rating_count",
            "created_at",
            "url",
        ]

    def get_url(self, product) -> str:
        return self.context["request"].build_absolute_uri(product.get_absolute_url())
