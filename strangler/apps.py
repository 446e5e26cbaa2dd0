"""The toolkit as a Django app. It has no models: its tables are its own, in each database (strangler/tables.py)."""

from django.apps import AppConfig


class StranglerConfig(AppConfig):
    """Makes every database connection of the project speak of refusals by their type, and traces where asked to."""

    name = "strangler"
    label = "strangler"
    verbose_name = "Strangler"

    def ready(self) -> None:
        from strangler import refusal  # noqa: PLC0415

        refusal.watch()
        from strangler.tracing.options import options  # noqa: PLC0415

        if (wanted := options()) is not None:
            from strangler.tracing.listening import start  # noqa: PLC0415

            start(wanted)
