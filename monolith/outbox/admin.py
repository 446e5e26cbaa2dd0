from django.contrib import admin

from monolith.outbox.models import Event


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    list_display = ["at", "type", "version", "subject", "sent_at"]
    list_filter = ["type"]
