"""The operators' pages for the relay: who leads, and the events that could not be sent."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.accounts.rules import user_of
from portal.events.models import QuarantinedEvent, RelayLease, RelayLoop
from portal.events.services import requeue_quarantined
from portal.patients.admin import ReadOnlyAdmin


@admin.register(QuarantinedEvent)
class QuarantinedEventAdmin(ReadOnlyAdmin):
    """Operators read these events, and send them again once the cause is mended."""

    list_display = ["event_id", "patient_id", "reason", "quarantined_at"]
    list_filter = ["reason", "quarantined_at"]
    search_fields = ["=event_id", "=patient_id"]
    actions = ["send_again"]

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("events.resend_quarantinedevent")

    @admin.action(description="Send again", permissions=["resend"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[QuarantinedEvent]) -> None:
        events = list(queryset)
        for event in events:
            self.log_change(request, event, "Sent again.")
        count = requeue_quarantined([event.pk for event in events], by=user_of(request))
        text = (
            f"{count} of {len(events)} event(s) put back into the outbox."
            " One that fails again comes back here."
        )
        self.message_user(request, text, messages.SUCCESS)


@admin.register(RelayLease)
class RelayLeaseAdmin(ReadOnlyAdmin):
    """Operators see which relay leads; the relays alone change it."""

    list_display = ["name", "holder", "fence", "renewed_at", "expires_at"]


@admin.register(RelayLoop)
class RelayLoopAdmin(ReadOnlyAdmin):
    """Operators see whether each loop's other side answers; the leading relay alone writes it."""

    list_display = ["name", "away_since", "error", "looked_at"]
