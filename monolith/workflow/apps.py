from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WorkflowConfig(AppConfig):
    name = "monolith.workflow"
    label = "workflow"

    def ready(self):
        autodiscover_modules("workflows")
