from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "monolith.media"
    label = "media"
