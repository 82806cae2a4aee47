"""The kinds of difference: of each its title, its store, what to do, and what repairs it."""

from dataclasses import dataclass
from enum import Enum

from portal.events.retention import HOW_TO_KEEP
from portal.reconciliation.stores import ANALYTICS, BILLING, LOG, OUTBOX, PATIENTS, TOPIC


class Remedy(Enum):
    """What a repair does; the value says so in the report."""

    CONTINUE = "MRNs skipped, past those given out before"
    RECORD = "written into the log"
    RECORD_DELETION = "deletion written into the log"
    FORGET = "forgotten by analytics, to be counted anew"
    RESEND = "put back into the outbox"
    RECOUNT = "figures counted anew"
    ASK = "asked of billing again"
    REOPEN = "account asked of billing again"
    CLOSE = "account closed at billing"


_FROM_BACKUP = "The portal's database is older than this: was it restored from a backup? "


@dataclass(frozen=True)
class DifferenceKind:
    """A kind; `may_pass` marks what a slow store explains: it is looked at again before it counts.

    What a store has too much of is compared with the portal as it is now, and the portal's own
    tables are read at one moment: time changes neither.
    """

    code: str
    store: str
    title: str
    remedies: tuple[Remedy, ...] = ()
    to_do: str = "Run the repair."
    may_pass: bool = True


_PATIENT_KINDS = (
    DifferenceKind(
        "impossible-date",
        PATIENTS,
        "The patient has a date that cannot be",
        to_do="Correct the patient. Until then the date counts as not known.",
        may_pass=False,
    ),
)

_LOG_KINDS = (
    DifferenceKind(
        "patient-without-log",
        LOG,
        "The patient is not in the log",
        (Remedy.RECORD,),
        may_pass=False,
    ),
    DifferenceKind(
        "log-behind",
        LOG,
        "The log ends before the patient's version",
        (Remedy.RECORD,),
        may_pass=False,
    ),
    DifferenceKind(
        "log-ahead",
        LOG,
        "The log goes on after the patient's version",
        to_do="The table of patients is older than its log. Restore both from one backup.",
        may_pass=False,
    ),
    DifferenceKind(
        "version-missing",
        LOG,
        "The log lacks a version, or has one twice",
        to_do="What was changed then is known to a backup alone. "
        "Look for who switched the triggers off.",
        may_pass=False,
    ),
    DifferenceKind(
        "log-of-nobody",
        LOG,
        "The patient is gone, and the log does not say so",
        (Remedy.RECORD_DELETION,),
        may_pass=False,
    ),
)

_DELIVERY_KINDS = (
    DifferenceKind(
        "quarantined",
        OUTBOX,
        "The event cannot be sent",
        to_do="Mend the cause, then choose Send again at the quarantined events in the admin.",
        may_pass=False,
    ),
    DifferenceKind(
        "not-sent",
        TOPIC,
        "The event is neither on the topic nor waiting",
        (Remedy.RESEND,),
    ),
    DifferenceKind(
        "out-of-order",
        TOPIC,
        "Events are not in the order of versions",
        (Remedy.RESEND,),
    ),
    DifferenceKind(
        "topic-forgets",
        TOPIC,
        "The topic’s settings forget events",
        to_do=HOW_TO_KEEP + " Then run the repair, which sends again what is missing.",
        may_pass=False,
    ),
    DifferenceKind(
        "numbers-behind",
        TOPIC,
        "MRNs and events would get numbers that were given out before",
        (Remedy.CONTINUE,),
        to_do=_FROM_BACKUP + "Run the repair before anybody registers a patient.",
        may_pass=False,
    ),
    DifferenceKind(
        "unknown-event",
        TOPIC,
        "The log does not know the event",
        to_do=_FROM_BACKUP + "Else find who writes to the topic besides the relay.",
        may_pass=False,
    ),
)

_ANALYTICS_KINDS = (
    DifferenceKind(
        "not-counted",
        ANALYTICS,
        "Not every event is counted",
        (Remedy.RESEND,),
        to_do="Run the repair. If it stays, look for a dead letter of this patient.",
    ),
    DifferenceKind(
        "counted-too-often",
        ANALYTICS,
        "More events are counted than there are",
        (Remedy.FORGET, Remedy.RESEND),
        may_pass=False,
    ),
    DifferenceKind(
        "unknown-patient",
        ANALYTICS,
        "Analytics counts somebody not in the log",
        (Remedy.FORGET,),
        may_pass=False,
    ),
    DifferenceKind(
        "state-behind",
        ANALYTICS,
        "Analytics has an older version",
        (Remedy.FORGET, Remedy.RESEND),
    ),
    DifferenceKind(
        "state-ahead",
        ANALYTICS,
        "Analytics has a newer version",
        (Remedy.FORGET, Remedy.RESEND),
        may_pass=False,
    ),
    DifferenceKind(
        "other-status",
        ANALYTICS,
        "Analytics has another status",
        (Remedy.FORGET, Remedy.RESEND),
    ),
    DifferenceKind(
        "figure-differs",
        ANALYTICS,
        "A figure is not the sum of states",
        (Remedy.RECOUNT,),
        may_pass=False,
    ),
)

_BILLING_KINDS = (
    DifferenceKind(
        "not-asked",
        BILLING,
        "Billing was not told of the latest change",
        (Remedy.ASK,),
    ),
    DifferenceKind(
        "no-account",
        BILLING,
        "There is no account at billing",
        (Remedy.REOPEN,),
    ),
    DifferenceKind(
        "other-account",
        BILLING,
        "The account at billing has another number",
        (Remedy.REOPEN,),
    ),
    DifferenceKind(
        "two-accounts",
        BILLING,
        "There is more than one account at billing",
        to_do="Have billing merge them. Its database must not allow this: run its migrations.",
        may_pass=False,
    ),
    DifferenceKind(
        "account-of-nobody",
        BILLING,
        "An open account belongs to no patient",
        (Remedy.CLOSE,),
    ),
    DifferenceKind(
        "billing-behind",
        BILLING,
        "Billing has an older version",
        (Remedy.ASK,),
    ),
    DifferenceKind(
        "billing-ahead",
        BILLING,
        "Billing has a newer version",
        to_do=_FROM_BACKUP
        + "Corrections reach billing again once the patient's version has passed it.",
        may_pass=False,
    ),
    DifferenceKind(
        "open-though-archived",
        BILLING,
        "The account is open, the patient not active",
        (Remedy.ASK,),
    ),
    DifferenceKind(
        "closed-though-active",
        BILLING,
        "The account is closed, the patient active",
        (Remedy.ASK,),
    ),
    DifferenceKind(
        "refused",
        BILLING,
        "Billing refuses the patient",
        to_do="Correct the patient's name or e-mail, or ask billing again on the patient's "
        "billing tab.",
        may_pass=False,
    ),
)

# By code, in the order in which changes flow from the portal to its peers.
KINDS = {
    kind.code: kind
    for kind in (
        *_PATIENT_KINDS,
        *_LOG_KINDS,
        *_DELIVERY_KINDS,
        *_ANALYTICS_KINDS,
        *_BILLING_KINDS,
    )
}
