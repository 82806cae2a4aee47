"""Every route answers what the OpenAPI document says, whatever is sent: schemathesis draws it."""

import json
from collections import Counter
from datetime import date

import pytest
import schemathesis
from django.db import connection
from django.utils import timezone
from hypothesis import strategies as st
from schemathesis.engine import events, from_schema

from portal.analytics.models import LastFigures
from tests.browser.figures import make_figures

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 60  # Until no more is drawn; a busy machine gets less far.
PERSON = {"familyName": "Sample", "dateOfBirth": "1984-03-04"}
# What a document cannot say: rules between members, of the calendar, and of what is stored.
RULES = {
    "bad-country", "bad-cursor", "bad-email", "bad-phone", "before-birth", "blank",
    "control-characters", "damaged-text", "date", "ends-before-start", "in-the-future",
    "incomplete", "invalid", "masked", "no-such-date", "not-a-day",
    "null_characters_not_allowed", "required", "same-record", "shortened", "stand-in",
    "surrogate_characters_not_allowed", "too-long-ago",
}  # fmt: skip
known_ids: list[str] = []


@pytest.fixture(autouse=True, scope="module")
def _formats():
    """Draws ids of patients, and dates that people can have."""
    ids = st.one_of(st.deferred(lambda: st.sampled_from(known_ids)), st.uuids().map(str))
    schemathesis.openapi.format("uuid", ids)
    days = st.dates(date(1850, 1, 1), date(2026, 1, 1)).map(str)
    schemathesis.openapi.format("date", days)


@pytest.fixture
def token(make_user, api_as):
    """A token of someone who may do all. Some patients are there, and the figures of a moment."""
    api = api_as(make_user("front desk", is_superuser=True))
    for name in ("Ada", "Noel", "Zora", "Ivo"):
        answer = api.post("/api/patients", {**PERSON, "givenName": name}, format="json")
        known_ids.append(answer.json()["id"])
    LastFigures.objects.create(figures=make_figures(), taken_at=timezone.now())
    return api._credentials["HTTP_AUTHORIZATION"]


def run_engine(document, *, url: str, token: str):
    settings = {
        "base-url": url,
        "headers": {"Authorization": token},
        "seed": 1,
        "max-time": SECONDS,
        "continue-on-failure": True,
        "generation": {"mode": "all", "max-examples": 12, "database": "none"},
        "checks": {
            # 412 comes before the body is read; refused bodies are looked at below.
            "negative_data_rejection": {"expected-statuses": [*map(str, range(400, 500))]},
            # DELETE archives a patient, who stays readable.
            "use_after_free": {"enabled": False},
            "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "4xx"]},
        },
    }
    config = schemathesis.Config.from_dict(settings)
    schema = schemathesis.openapi.from_dict(document, config=config)
    yield from from_schema(schema).execute()


def faults_in(recorder) -> set[str]:
    """Returns what the checks of schemathesis found."""
    return {
        f"{recorder.cases[case_id].value.operation.label}: {check.failure_info.failure.message}"
        for case_id, checks in recorder.checks.items()
        for check in checks
        if check.failure_info
    }


def refusals_in(recorder) -> set[str]:
    """Returns the refusals of a valid body or query by something that the document could say."""
    refusals = set()
    for case_id, interaction in recorder.interactions.items():
        case, response = recorder.cases[case_id].value, interaction.response
        if not response or response.status_code != 400 or not case.meta.generation.mode.is_positive:
            continue
        for error in json.loads(response.content).get("errors", [{"code": "without errors"}]):
            if error["code"] not in RULES:
                refusals.add(f"{case.operation.label}: {error}")
    return refusals


def test_answers_are_as_the_document_says(live_server, client, token, monkeypatch):
    # The server's threads keep no connection, which would keep the database from being dropped.
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    document = client.get("/api/schema?format=json", HTTP_AUTHORIZATION=token).json()
    operations = [
        operation for methods in document["paths"].values() for operation in methods.values()
    ]
    for operation in operations:
        del operation["responses"]["default"]  # Each status has to be named.
    faults: set[str] = set()
    statuses: Counter[str] = Counter()
    for event in run_engine(document, url=live_server.url, token=token):
        assert not isinstance(event, events.FatalError), event.exception
        if isinstance(event, events.ScenarioFinished):
            faults |= faults_in(event.recorder) | refusals_in(event.recorder)
            statuses.update(
                str(interaction.response.status_code)
                for interaction in event.recorder.interactions.values()
                if interaction.response
            )
    assert not faults, "\n\n".join(sorted(faults))
    assert {"200", "201", "204", "400", "401", "404", "405"} <= statuses.keys(), statuses
