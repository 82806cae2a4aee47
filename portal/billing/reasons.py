"""The reasons why billing refused or did not answer, in plain words, with what to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """What a code of billing means for the user who sees it."""

    words: str
    to_do: str


_WAITS = "It is asked again by itself."
_CORRECT = "Open the patient and correct it; billing is then asked again by itself."
REASONS = {
    "INVALID_ARGUMENT": Reason("Billing does not take this name or e-mail.", _CORRECT),
    "FAILED_PRECONDITION": Reason(
        "Billing does not take this change as things stand there.", "Ask again later."
    ),
    "OUT_OF_RANGE": Reason("Billing does not take one of the values.", _CORRECT),
    "UNAVAILABLE": Reason("Billing cannot be reached.", _WAITS),
    "CANCELLED": Reason("Billing broke off.", _WAITS),
    "DEADLINE_EXCEEDED": Reason("Billing took too long.", _WAITS),
    "UNREADABLE": Reason("What is stored, or what billing answered, cannot be read.", _CORRECT),
    "RESOURCE_EXHAUSTED": Reason("Billing has too much to do.", _WAITS),
}
# Codes that tell of no answer: the same request is worth sending again.
AWAY_CODES = ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
_OTHER = Reason("Billing failed on this account.", "Tell an operator if it goes on.")


def reason_of(code: str) -> Reason:
    """Returns the reason for a code, also for one that this table does not know."""
    return REASONS.get(code, _OTHER)
