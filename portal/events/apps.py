"""Events as a Django app."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "portal.events"
    label = "events"

    def ready(self) -> None:
        from portal.events.broker import ask_last_event_ids
        from portal.events.gaps import GapsLoop
        from portal.events.loop import EventsLoop
        from portal.patients.number_series import read_event_ids_by
        from portal.relay_loops import register_loop

        read_event_ids_by(ask_last_event_ids)
        register_loop("events", EventsLoop)
        register_loop("gaps", GapsLoop)
