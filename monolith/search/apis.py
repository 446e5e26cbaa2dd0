from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView

from monolith.catalog.models import Product
from monolith.catalog.serializers import ProductOutput
from monolith.search.selectors import products_matching


class SearchApi(ListAPIView):
    queryset = Product.objects.none()
    serializer_class = ProductOutput

    def get_queryset(self):
        words = self.request.query_params.get("q", "").strip()[:100]
        if not words:
            raise ValidationError({"q": ["Give the words to look for."]})
        return products_matching(words)

    @extend_schema(operation_id="search_list", parameters=[OpenApiParameter("q", str, required=True)])
    def get(self, request, *args, **kwargs):
        """Products that have every word somewhere."""
        return super().get(request, *args, **kwargs)
