from django.contrib import admin

from monolith.notifications.models import Mail


@admin.register(Mail)
class MailAdmin(admin.ModelAdmin):
    list_display = ["subject", "recipient", "attempts", "sent_at", "error"]
