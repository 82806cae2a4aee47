"""Events as a Django app."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "portal.events"
    label = "events"

    def ready(self) -> None:
        from portal.events.gaps import GapsLoop
        from portal.events.loop import EventsLoop
        from portal.relay_loops import register_loop

        register_loop("events", EventsLoop)
        register_loop("gaps", GapsLoop)
