"""The tables of the relay besides the outbox: the lease, the loops' health, the quarantine."""

from django.db import models
from django.db.models.functions import Now


class RelayLease(models.Model):
    """The row that elects the leading relay; `fence` rises with each new leader and never falls."""

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
    """Tells whether the other side of a loop answers, or since when it is away."""

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
    """The least offset of a partition's next event: a lower one means that the topic is new."""

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
    """A topic that is filled again out of the log; the outbox has it up to this event already."""

    topic = models.CharField(max_length=249, primary_key=True)
    up_to_event_id = models.BigIntegerField(default=0)
    begun_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"refill of {self.topic} up to event {self.up_to_event_id}"


class TopicRetention(models.Model):
    """What the topic's settings at the broker forget, as the leading relay saw them last."""

    topic = models.CharField(max_length=249, primary_key=True)
    forgets_by = models.CharField(
        max_length=200, blank=True, help_text="Settings; empty where every event is kept"
    )
    looked_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.topic} forgets by {self.forgets_by or 'nothing'}"


class QuarantinedEvent(models.Model):
    """An event that cannot be encoded, or that the broker will never take; the others went on."""

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
