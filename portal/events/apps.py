"""Events as a Django app."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "portal.events"
    label = "events"

    def ready(self) -> None:
        from portal.patients.number_series import read_event_ids_by
        from portal.relay_loops import register_loop

        read_event_ids_by(_ask_last_event_ids)
        register_loop("events", "portal.events.loop.EventsLoop")
        register_loop("gaps", "portal.events.gaps.GapsLoop")


def _ask_last_event_ids() -> list[int]:
    # The client of Kafka takes 8 MB, and most processes never ask.
    from portal.events.broker import ask_last_event_ids

    return ask_last_event_ids()
