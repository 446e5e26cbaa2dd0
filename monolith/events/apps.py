from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "monolith.events"
    label = "events"
