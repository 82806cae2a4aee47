"""A seed draws the faults: every kind at least once, and in the long form every target."""

import pytest

from tests.fault.faults import BROKER_EMPTIED, FULL
from tests.fault.schedule import KINDS, LINKS, NETWORK, TARGETS, WITH_TARGETS, _target, plan

SHORT, LONG, SEEDS = 8, 60, range(1, 6)


def faults_of(slots):
    return [fault for slot in slots for fault in slot]


def test_the_same_seed_gives_the_same_plan():
    assert plan(3, slots=LONG) == plan(3, slots=LONG) != plan(4, slots=LONG)


@pytest.mark.parametrize("seed", range(1, 30))
def test_the_short_form_has_every_kind(seed):
    assert {fault.kind for fault in faults_of(plan(seed, slots=SHORT))} == set(KINDS)


@pytest.mark.parametrize("seed", range(1, 30))
def test_faults_at_once_have_different_targets(seed):
    slots = plan(seed, slots=LONG)
    assert {len(slot) for slot in slots} == {1, 2}
    assert all(len({_target(fault) for fault in slot}) == len(slot) for slot in slots)


def test_the_long_form_has_300_faults_and_every_target():
    faults = [fault for seed in SEEDS for fault in faults_of(plan(seed, slots=LONG))]
    assert len(faults) >= 300
    wanted = {(kind, target) for kind in WITH_TARGETS for target in TARGETS}
    wanted |= {(kind, link) for kind in NETWORK for link in LINKS}
    assert wanted - {(fault.kind, fault.target) for fault in faults} == set()


@pytest.mark.parametrize("seed", range(1, 30))
def test_the_broker_is_emptied_in_the_first_half(seed):
    kinds = [slot[0].kind for slot in plan(seed, slots=SHORT)]
    assert kinds.index(BROKER_EMPTIED) < len(kinds) / 2


def test_a_disk_that_cannot_be_filled_is_left_alone():
    kinds = {fault.kind for fault in faults_of(plan(1, slots=LONG, can_fill_disk=False))}
    assert kinds == set(KINDS) - set(FULL)
