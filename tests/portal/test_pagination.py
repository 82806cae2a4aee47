"""A page of a list names its last row, and a text that is no cursor of ours is refused in words."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from rest_framework.request import Request

from portal.errors import InvalidInput
from portal.pagination import (
    LARGEST_ID,
    Page,
    decode_cursor,
    encode_cursor,
    next_link,
    number_in,
    page_of,
    row_id,
)

AT = datetime(2026, 11, 27, 16, 5, 12, 123456, tzinfo=UTC)


def test_a_cursor_keeps_its_text_across_versions():
    assert encode_cursor(AT, 12) == "1795795512123456.12"
    assert decode_cursor("1795795512123456.12", key=row_id) == (AT, 12)


def test_a_cursor_carries_an_id_of_a_patient():
    patient_id = UUID("0195d7c8-0000-7000-8000-000000000001")
    assert decode_cursor(encode_cursor(AT, patient_id), key=UUID) == (AT, patient_id)


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "1.x",
        "1.-2",
        "1.²",
        "1",
        "x.1",
        f"{10**30}.1",
        f"1.{LARGEST_ID + 1}",
        "1.9" * 50,
    ],
)
def test_a_text_that_is_no_cursor_is_refused(cursor):
    with pytest.raises(InvalidInput) as refused:
        decode_cursor(cursor, key=row_id)
    assert refused.value.errors[0].pointer == "cursor"


def test_pages_cover_a_list_without_gaps_or_repeats():
    first = page_of(range(5), limit=2, cursor=str)
    assert (first.rows, first.next_cursor) == ([0, 1], "1")
    assert page_of(range(4, 5), limit=2, cursor=str) == Page([4])


def test_a_list_that_ends_with_the_page_has_no_next_page():
    assert page_of(range(2), limit=2, cursor=str).next_cursor == ""


def test_other_rows_go_on_at_the_same_place():
    assert Page([1, 2], "2").with_rows("ab") == Page(["a", "b"], "2")


def test_the_link_header_keeps_the_query(rf):
    request = Request(rf.get("/api/patients", {"q": "smi", "cursor": "old"}))
    [link] = next_link(request, "a.b").values()
    assert link == '<http://testserver/api/patients?cursor=a.b&q=smi>; rel="next"'
    assert next_link(request, "") == {}


@pytest.mark.parametrize(("query", "number"), [({}, None), ({"n": " "}, None), ({"n": "12"}, 12)])
def test_a_number_is_read_from_the_query(rf, query, number):
    assert number_in(rf.get("/", query), "n") == number


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "²", str(LARGEST_ID + 1), "1" * 5_000])
def test_a_number_that_is_none_is_refused(rf, text):
    with pytest.raises(InvalidInput):
        number_in(rf.get("/", {"n": text}), "n")
