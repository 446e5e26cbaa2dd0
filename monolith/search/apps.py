from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "monolith.search"
    label = "search"
