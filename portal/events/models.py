"""What the relay stores besides the outbox: who leads, what it found, and the events that cannot be sent."""

from django.db import models
from django.db.models.functions import Now


class RelayLease(models.Model):
    """The one row that elects the process that relays; `fence` rises with each new leader and never falls."""

    name = models.CharField(max_length=20, primary_key=True)
    holder = models.CharField(max_length=100)
    fence = models.BigIntegerField()
    renewed_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.name} lease, fence {self.fence}"


class RelayLoop(models.Model):
    """What a loop of the relay found when it last changed: its other side answers, or is away since then."""

    name = models.CharField(max_length=20, primary_key=True)
    away_since = models.DateTimeField(null=True)
    error = models.CharField(
        max_length=60, blank=True, help_text="The kind of error, while it is away."
    )
    looked_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"loop {self.name}"


class TopicEnd(models.Model):
    """The offset that the next event of a partition must have at least: lower means that the topic was made anew."""

    topic = models.CharField(max_length=249)
    partition = models.IntegerField()
    next_offset = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["topic", "partition"], name="one_end_per_partition")
        ]

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition} ends at {self.next_offset}"


class TopicRefill(models.Model):
    """A topic that lost its events gets the whole log again: the outbox has it up to this event already."""

    topic = models.CharField(max_length=249, primary_key=True)
    up_to_event_id = models.BigIntegerField(default=0)
    begun_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"refill of {self.topic} up to event {self.up_to_event_id}"


class QuarantinedEvent(models.Model):
    """An event that could not be encoded, or that the broker will never take. The others went on without it."""

    event_id = models.BigIntegerField(primary_key=True)
    patient_id = models.UUIDField(null=True)
    reason = models.CharField(
        max_length=60, help_text="The kind of error; its text may quote the patient."
    )
    quarantined_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-quarantined_at", "-event_id"]
        default_permissions = ("view",)
        permissions = [("resend_quarantinedevent", "Can send quarantined events again")]

    def __str__(self) -> str:
        return f"event {self.event_id}"
