from django.apps import AppConfig


class ReviewsModule(AppConfig):
    """The service's app beside Orchard's own of the same label, over the same tables."""

    name = "reviews_service.reviews"
    label = "reviews_module"

    def import_models(self):
        super().import_models()
        # Their names come from the label, and the tables have been there before it.
        for model in self.models.values():
            if model._meta.db_table.startswith("reviews_module_"):
                model._meta.db_table = model._meta.db_table.replace("reviews_module_", "reviews_", 1)
