from django.contrib import admin

from monolith.media.models import Blob


@admin.register(Blob)
class BlobAdmin(admin.ModelAdmin):
    list_display = ["name", "content_type", "created_at"]
    exclude = ["data"]
