"""FHIR files as they come in real life: each comes in right, or says truly why it does not."""

import json

import pytest

from tests.real_files.fhir_bundles import BUNDLES
from tests.real_files.fhir_countries import COUNTRIES
from tests.real_files.fhir_examples import EXAMPLES

pytestmark = pytest.mark.django_db
FILES = EXAMPLES | COUNTRIES | BUNDLES


@pytest.mark.parametrize(("content", "expected"), FILES.values(), ids=FILES.keys())
def test_a_fhir_file_comes_in_right_or_says_truly_why_not(outcome_of, content, expected):
    outcome = outcome_of(content if isinstance(content, str) else json.dumps(content))
    assert outcome.people == expected.people
    assert len(outcome.reasons) == len(expected.reasons)
    for reason, words in zip(outcome.reasons, expected.reasons, strict=True):
        assert words in reason
    assert expected.message in outcome.message
    assert bool(expected.message) == bool(outcome.message)
    assert outcome.report.get("partsLeftOut", {}) == expected.left_out
    elsewhere = outcome.report.get("ignoredColumns", [])
    assert len(elsewhere) == len(expected.elsewhere)
    for told, words in zip(elsewhere, expected.elsewhere, strict=True):
        assert words in told
