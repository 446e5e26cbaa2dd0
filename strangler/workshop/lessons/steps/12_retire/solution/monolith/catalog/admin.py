from django.contrib import admin

from monolith.catalog.models import Category, Product
from monolith.orders.models import Stock


class StockInline(admin.TabularInline):
    model = Stock


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["name", "category", "price", "rating_average", "rating_count"]
    list_filter = ["category"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    raw_id_fields = ["image"]
    inlines = [StockInline]
