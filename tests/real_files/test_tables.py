"""CSV files and workbooks as programs and people make them: what comes in, or why it does not."""

from dataclasses import dataclass, field
from typing import Any

import pytest

pytestmark = pytest.mark.django_db

HEADER = "family_name,given_name,date_of_birth,sex\n"
TILDA = {"family_name": "Ormond", "given_name": "Tilda", "date_of_birth": "1984-03-15"}


@dataclass(frozen=True)
class Expected:
    """What is right for a file: its people, the reasons of refused rows, or its message."""

    people: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    message: str = ""


FILES = {
    "plain, without a line end": (
        HEADER + "Ormond,Tilda,1984-03-15,female",
        Expected([TILDA | {"sex": "female"}]),
    ),
}


@pytest.mark.parametrize(("content", "expected"), FILES.values(), ids=FILES.keys())
def test_a_file_comes_in_right_or_says_truly_why_not(outcome_of, content, expected):
    outcome = outcome_of(content)
    assert outcome.people == expected.people
    assert len(outcome.reasons) == len(expected.reasons)
    for reason, words in zip(outcome.reasons, expected.reasons, strict=True):
        assert words in reason
    assert expected.message in outcome.message
    assert bool(expected.message) == bool(outcome.message)
