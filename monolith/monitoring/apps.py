from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monolith.monitoring"
    label = "monitoring"
