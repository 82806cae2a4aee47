"""The kinds of difference: what each is called, where it shows, what to do about it, and what heals it."""

from dataclasses import dataclass
from enum import Enum

from portal.reconciliation.stores import ANALYTICS, BILLING, LOG, OUTBOX, TOPIC


class Remedy(Enum):
    """What a repair does; the value is how it says so."""

    RECORD = "written into the log"
    RECORD_DELETION = "deletion written into the log"
    FORGET = "forgotten by analytics, to be counted anew"
    RESEND = "put back into the outbox"
    RECOUNT = "figures counted anew"
    ASK = "asked of billing again"
    REOPEN = "account asked of billing again"
    CLOSE = "account closed at billing"


@dataclass(frozen=True)
class Kind:
    """`may_pass` marks what a slow store explains: such differences are looked at again before they count.

    What a store has too much of is judged against the portal of now, and what the portal has itself against one moment:
    no time mends that.
    """

    code: str
    store: str
    title: str
    to_do: str
    remedies: tuple[Remedy, ...] = ()
    may_pass: bool = True


_BY_REPAIR = "Run the repair."
_BACKUP = "The portal's database is older than this: was it restored from a backup? "

KINDS = {
    kind.code: kind
    for kind in (
        Kind("patient-without-log", LOG, "The patient is not in the log", _BY_REPAIR, (Remedy.RECORD,), False),
        Kind("log-behind", LOG, "The log ends before the patient's version", _BY_REPAIR, (Remedy.RECORD,), False),
        Kind(
            "log-ahead", LOG, "The log goes on after the patient's version",
            "The table of patients is older than its log. Restore both from one backup.", (), False,
        ),
        Kind(
            "version-missing", LOG, "The log lacks a version, or has one twice",
            "What was changed then is known to a backup alone. Look for who switched the triggers off.", (), False,
        ),
        Kind(
            "log-of-nobody", LOG, "The patient is gone, and the log does not say so",
            _BY_REPAIR, (Remedy.RECORD_DELETION,), False,
        ),
        Kind(
            "quarantined", OUTBOX, "The event cannot be sent",
            "Mend the cause, then choose Send again at the quarantined events in the admin.", (), False,
        ),
        Kind("not-sent", TOPIC, "The event is neither on the topic nor waiting", _BY_REPAIR, (Remedy.RESEND,)),
        Kind("out-of-order", TOPIC, "Events are not in the order of versions", _BY_REPAIR, (Remedy.RESEND,)),
        Kind(
            "unknown-event", TOPIC, "The log does not know the event",
            _BACKUP + "Else find who writes to the topic besides the relay.", (), False,
        ),
        Kind(
            "not-counted", ANALYTICS, "Not every event is counted",
            "Run the repair. If it stays, look for a dead letter of this patient.", (Remedy.RESEND,),
        ),
        Kind(
            "counted-too-often", ANALYTICS, "More events are counted than there are",
            _BY_REPAIR, (Remedy.FORGET, Remedy.RESEND), False,
        ),
        Kind(
            "unknown-patient", ANALYTICS, "Analytics counts somebody not in the log",
            _BY_REPAIR, (Remedy.FORGET,), False,
        ),
        Kind("state-behind", ANALYTICS, "Analytics has an older version", _BY_REPAIR, (Remedy.FORGET, Remedy.RESEND)),
        Kind(
            "state-ahead", ANALYTICS, "Analytics has a newer version",
            _BY_REPAIR, (Remedy.FORGET, Remedy.RESEND), False,
        ),
        Kind("other-status", ANALYTICS, "Analytics has another status", _BY_REPAIR, (Remedy.FORGET, Remedy.RESEND)),
        Kind("figure-differs", ANALYTICS, "A figure is not the sum of states", _BY_REPAIR, (Remedy.RECOUNT,), False),
        Kind("not-asked", BILLING, "Billing was not told of the latest change", _BY_REPAIR, (Remedy.ASK,)),
        Kind("no-account", BILLING, "There is no account at billing", _BY_REPAIR, (Remedy.REOPEN,)),
        Kind("other-account", BILLING, "The account at billing has another number", _BY_REPAIR, (Remedy.REOPEN,)),
        Kind(
            "two-accounts", BILLING, "There is more than one account at billing",
            "Have billing merge them. Its database must not allow this: run its migrations.", (), False,
        ),
        Kind(
            "account-of-nobody", BILLING, "An open account belongs to no patient",
            _BY_REPAIR, (Remedy.CLOSE,),
        ),
        Kind("billing-behind", BILLING, "Billing has an older version", _BY_REPAIR, (Remedy.ASK,)),
        Kind(
            "billing-ahead", BILLING, "Billing has a newer version",
            _BACKUP + "Corrections reach billing again once the patient's version has passed it.", (), False,
        ),
        Kind("open-though-archived", BILLING, "The account is open, the patient not active", _BY_REPAIR, (Remedy.ASK,)),
        Kind("closed-though-active", BILLING, "The account is closed, the patient active", _BY_REPAIR, (Remedy.ASK,)),
        Kind(
            "refused", BILLING, "Billing refuses the patient",
            "Correct the patient's name or e-mail, or ask billing again on the patient's billing tab.", (), False,
        ),
    )
}  # fmt: skip
