from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "monolith.accounts"
    label = "accounts"

    def ready(self):
        from monolith.accounts import signals  # noqa: F401, PLC0415  (connects the receivers)
