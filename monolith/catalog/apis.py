from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView

from monolith.catalog.models import Product
from monolith.catalog.selectors import product_list
from monolith.catalog.serializers import ProductOutput


class ProductListApi(ListAPIView):
    queryset = Product.objects.none()
    serializer_class = ProductOutput

    def get_queryset(self):
        return product_list(category=self.request.query_params.get("category"))

    @extend_schema(operation_id="products_list", parameters=[OpenApiParameter("category", str)])
    def get(self, request, *args, **kwargs):
        """All products, newest first."""
        return super().get(request, *args, **kwargs)


class ProductDetailApi(RetrieveAPIView):
    queryset = Product.objects.select_related("category")
    serializer_class = ProductOutput

    def get(self, request, *args, **kwargs):
        """One product."""
        return super().get(request, *args, **kwargs)
