from django.contrib import admin

from monolith.events.models import Event


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    list_display = ["at", "kind", "path", "user_id"]
    list_filter = ["kind"]
    date_hierarchy = "at"
