from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from monolith.accounts.models import User


@admin.register(User)
class OrchardUserAdmin(UserAdmin):
    fieldsets = (*UserAdmin.fieldsets, ("Shop", {"fields": ["display_name", "preferences"]}))
