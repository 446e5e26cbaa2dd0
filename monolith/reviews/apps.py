from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "monolith.reviews"
    label = "reviews"

    def ready(self):
        from monolith.reviews import signals  # noqa: F401, PLC0415  (connects the receivers)
