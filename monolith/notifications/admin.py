from django.contrib import admin

from monolith.notifications.models import Mail, Preference, Suppression


@admin.register(Mail)
class MailAdmin(admin.ModelAdmin):
    list_display = ["subject", "recipient", "state", "attempts", "sent_at", "error"]
    list_filter = ["state"]


@admin.register(Preference)
class PreferenceAdmin(admin.ModelAdmin):
    list_display = ["user_id", "mail"]


@admin.register(Suppression)
class SuppressionAdmin(admin.ModelAdmin):
    list_display = ["address", "reason", "at"]
