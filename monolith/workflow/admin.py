from django.contrib import admin

from monolith.workflow.models import Run


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):
    list_display = ["kind", "subject", "state", "wake_at", "attempts", "finished_at"]
    list_filter = ["kind", "state"]
