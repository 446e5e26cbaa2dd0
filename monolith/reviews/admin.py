from django.contrib import admin

from monolith.reviews.models import Review


@admin.register(Review)
class ReviewAdmin(admin.ModelAdmin):
    list_display = ["title", "product", "author", "rating", "status", "created_at"]
    list_filter = ["status", "rating"]
    search_fields = ["title"]
    raw_id_fields = ["product", "author"]
    list_select_related = ["product", "author"]
