"""What a merge brought from the duplicate, read out of the log, and what of it can go back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.patients.matching.choosing import CHOICES, values_of
from portal.patients.matching.similar import any_of
from portal.patients.models import IdentifierChange, Patient, PatientEvent, PatientIdentifier, Status
from portal.patients.models.log import DELETED


@dataclass(frozen=True)
class Parted:
    """Two records again. `left` names the choices, and `identifiers`, that the survivor keeps from the other one."""

    duplicate: Patient
    survivor: Patient
    left: list[str]


@dataclass(frozen=True)
class Plan:
    """What goes back: the survivor's values, the identifiers by their keys, and the duplicate's status of before."""

    values: dict[str, Any]
    identifiers: list[int]
    status: str
    left: list[str]


def part(duplicate: Patient, survivor: Patient) -> Plan:
    """The plan for two locked records. Where SQL merged them, nothing was taken, and the duplicate is active again."""
    merge = _merge_of(duplicate)
    if merge is None:
        return Plan({}, [], Status.ACTIVE, [])
    before = _version(duplicate.pk, merge.version - 1)
    values, left = _values_before(survivor, merge.pgh_context["merge"]["survivor_version"])
    held, missing = _identifiers_of(duplicate.pk, merge.version, survivor)
    return Plan(values, held, before.status if before else Status.ACTIVE, left + ["identifiers"] * missing)


def _merge_of(duplicate: Patient) -> PatientEvent | None:
    """The log's row of the merge that holds now."""
    into = str(duplicate.merged_into_id)
    rows = PatientEvent.objects.filter(pgh_obj=duplicate, pgh_context__merge__survivor=into, status=Status.MERGED)
    return rows.order_by("-version").first()


def _version(patient_id: UUID, version: int) -> PatientEvent | None:
    rows = PatientEvent.objects.filter(pgh_obj=patient_id, version=version)
    return rows.exclude(pgh_label=DELETED).first()


def _values_before(survivor: Patient, version: int) -> tuple[dict[str, Any], list[str]]:
    """What the merge changed, as it was; and the choices in which somebody changed it since."""
    before, after = _version(survivor.pk, version - 1), _version(survivor.pk, version)
    back: dict[str, Any] = {}
    left = []
    for choice in CHOICES if before and after else ():
        if values_of(before, choice) == values_of(after, choice):
            continue
        if values_of(survivor, choice) == values_of(after, choice):
            back |= values_of(before, choice)
        else:
            left.append(choice)
    return back, left


def _identifiers_of(duplicate_id: UUID, version: int, survivor: Patient) -> tuple[list[int], bool]:
    """The keys of those that the duplicate lost with this version and the survivor holds; whether some are missing."""
    lost = IdentifierChange.objects.filter(patient_id=duplicate_id, version=version, is_added=False)
    pairs = list(lost.values_list("system", "value"))
    there = PatientIdentifier.objects.filter(any_of(pairs), patient=survivor) if pairs else ()
    held = [one.pk for one in there]
    return held, len(held) < len(pairs)
