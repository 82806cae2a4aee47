"""What is right for a file, and the people whom most files are about."""

from dataclasses import dataclass, field
from typing import Any

from tests.real_files.both_ways import FileOutcome

HEADER = "family_name,given_name,date_of_birth,sex\n"
TILDA_LINE = "Ormsby,Tilda,1984-03-15,female\n"
GUS_LINE = "Prewett,Gus,1990-11-02,male\n"
TILDA: dict[str, Any] = {
    "family_name": "Ormsby",
    "given_name": "Tilda",
    "date_of_birth": "1984-03-15",
    "sex": "female",
}
GUS: dict[str, Any] = {
    "family_name": "Prewett",
    "given_name": "Gus",
    "date_of_birth": "1990-11-02",
    "sex": "male",
}
NO_HEADER = "There is no usable header"


def person(family: str, given: str, born: str = "", **more: Any) -> dict[str, Any]:
    """Returns the values of a person."""
    values = {"family_name": family, "given_name": given, "date_of_birth": born, **more}
    return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class Expected:
    """What is right for a file.

    `people` are the patients that come in; `reasons` are words of the reasons of refused rows;
    `left_out` is how many values are told as left out; `message` says why no row is read; `ignored`
    are the columns and sheets that are told as not imported.
    """

    people: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    message: str = ""
    left_out: int = 0
    ignored: list[str] = field(default_factory=list)


def check(outcome: FileOutcome, expected: Expected) -> None:
    """AssertionError unless the outcome is the expected one."""
    assert expected.message in outcome.message
    assert bool(expected.message) == bool(outcome.message)
    assert outcome.people == expected.people
    assert len(outcome.reasons) == len(expected.reasons), outcome.reasons
    for reason, words in zip(outcome.reasons, expected.reasons, strict=True):
        assert words in reason
    assert outcome.report.get("leftOut", 0) == expected.left_out
    assert outcome.report.get("ignoredColumns", []) == expected.ignored
