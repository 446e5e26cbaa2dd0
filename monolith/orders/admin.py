from django.contrib import admin

from monolith.orders.models import Line, Order, Payment


class LineInline(admin.TabularInline):
    model = Line
    extra = 0
    raw_id_fields = ["product"]


class PaymentInline(admin.StackedInline):
    model = Payment
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["short_number", "customer", "status", "total", "placed_at"]
    list_filter = ["status"]
    raw_id_fields = ["customer"]
    inlines = [LineInline, PaymentInline]
