"""A long text in the search box costs no more than a short one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.patients.search import typed_name

pytestmark = pytest.mark.django_db
LETTERS = " ".join("abcdefghijklmnopqrstuvwxyz" * 4)  # 100 words in 199 characters.


def count_work(api, monkeypatch, text) -> tuple[int, int]:
    """Returns how many dates are tried, and how many statements run."""
    tried = []

    def parse_counted(part):
        tried.append(part)
        return parse(part)

    parse = typed_name.parse_date_span
    with monkeypatch.context() as patch, CaptureQueriesContext(connection) as statements:
        patch.setattr(typed_name, "parse_date_span", parse_counted)
        assert api.get("/api/patients", {"q": text}).status_code == 200
    return len(tried), len(statements)


@pytest.mark.parametrize("end", ["", "1984", "+1 617 555 0131"])
def test_a_hundred_words_cost_no_more_than_a_dozen(desk_api, monkeypatch, end):
    desk_api.get("/api/patients", {"q": "a"})  # The user is known now.
    dozen, _ = count_work(desk_api, monkeypatch, f"{LETTERS[:24]} {end}")
    hundred, statements = count_work(desk_api, monkeypatch, f"{LETTERS[: 199 - len(end)]} {end}")
    assert 0 < hundred <= dozen
    assert statements <= 30  # Eleven ways to read six words, and what is near them.
