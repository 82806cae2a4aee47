"""The promises, as pure functions over the clients' history and the stores."""

from collections.abc import Callable, Iterable, Sequence

from tests.fault import client_checks, store_checks
from tests.fault.history import Operation
from tests.fault.stores import Stores

Check = Callable[[Sequence[Operation], Stores], Iterable[str]]
CHECKS: tuple[Check, ...] = (
    client_checks.no_acknowledged_change_is_lost,
    client_checks.no_change_has_two_effects,
    client_checks.no_refused_change_has_an_effect,
    client_checks.no_update_is_lost,
    client_checks.each_key_makes_one_patient,
    store_checks.versions_have_no_gap,
    store_checks.patients_are_as_the_log_says,
    store_checks.all_events_are_on_the_topic,
    store_checks.events_come_in_order,
    store_checks.nothing_waits,
    store_checks.each_event_is_counted_once,
    store_checks.figures_are_right,
    store_checks.each_patient_has_one_account,
    store_checks.poison_is_set_aside,
    client_checks.errors_say_what_to_do,
)


def violations(history: Sequence[Operation], stores: Stores) -> dict[str, list[str]]:
    """Returns the violations by promise; an empty list where the promise holds."""
    return {check.__name__.replace("_", " "): list(check(history, stores)) for check in CHECKS}
