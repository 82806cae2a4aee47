"""What a FHIR Patient says of itself: dead, replaced, restricted, test data, not in use."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from portal.imports.readers.fhir_parts import (
    InvalidResource,
    get_flag,
    get_object,
    get_objects,
    get_text,
    is_restricting,
)
from portal.imports.readers.rows import NO_DAY_OF_DEATH

_WHOLE_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_BOTH = "The patient is said to be alive, and to have died. Ask the source which is true."
_MODIFIED = (
    "An extension changes what this record means (modifierExtension), and the portal does not know "
    "it. Register the patient by hand."
)
_PLAIN_LABELS = ("N", "L", "M", "U")  # Normal, low and moderate: nothing is to be hidden.


def refuse_what_is_no_patient(resource: Mapping[str, Any]) -> None:
    """Refuses what would be someone alive, someone twice, or nobody at all."""
    meta = get_object(resource, "meta")
    for name in ("tag", "security"):
        if any(_is_test(label) for label in get_objects(meta, name, "meta")):
            raise InvalidResource(f"meta.{name}", "This is test data (HTEST), and no patient.")
    if get_objects(resource, "modifierExtension"):
        raise InvalidResource("modifierExtension", _MODIFIED)
    if any(link.get("type") == "replaced-by" for link in get_objects(resource, "link")):
        reason = "Another record has replaced this one at its source. Import the other record."
        raise InvalidResource("link", reason)
    _refuse_unknown_death(resource)


def _is_test(label: Mapping[str, Any]) -> bool:
    system = label.get("system")
    return label.get("code") == "HTEST" and (not system or str(system).endswith("ActReason"))


def _refuse_unknown_death(resource: Mapping[str, Any]) -> None:
    """Refuses a patient who died on a day that is not known, however the resource says so."""
    died_on = died_on_day(resource)
    flag = get_flag(resource, "deceasedBoolean")
    if died_on and flag is False:
        raise InvalidResource("deceasedBoolean", _BOTH)
    if _WHOLE_DAY.fullmatch(died_on):
        return
    for name, value in resource.items():
        # Also a date that is only said to be absent, and members of other versions of FHIR.
        if "deceased" not in name or name == "_deceasedBoolean" or not value:
            continue
        if name.lstrip("_").startswith("deceased"):
            raise InvalidResource(name, NO_DAY_OF_DEATH)


def died_on_day(resource: Mapping[str, Any]) -> str:
    """Returns the day of death as written, "" if there is none."""
    return get_text(resource, "deceasedDateTime").partition("T")[0]


def is_archived(resource: Mapping[str, Any]) -> bool:
    """Tells whether the source does not use the record any more."""
    return get_flag(resource, "active") is False


def is_restricted(resource: Mapping[str, Any], left_out: Counter[str]) -> bool:
    """Tells whether contact and address are to be hidden; counts labels that say something else."""
    labels = get_objects(get_object(resource, "meta"), "security", "meta")
    restricting = [is_restricting(label) for label in labels]
    others = [
        label
        for label, hides in zip(labels, restricting, strict=True)
        if not hides and label.get("code") not in _PLAIN_LABELS
    ]
    left_out["security label"] += len(others)
    return any(restricting)
