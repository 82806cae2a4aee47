"""Reads of one kind that waited at the same time: their statement, and the answers of its rows."""

import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from rest_framework.utils.urls import replace_query_param

from portal.patients import gathered_reads
from portal.patients.gathered_reads import Reader
from portal.patients.search.moment import OPEN_SINCE
from portal.plain_answers import page_answer, patient_answer
from portal.plain_requests import PlainRead
from portal.prepared import Call, Row

MOMENT_SECONDS = 0.5  # Age of a page's moment; an older one would name many changes.


class Batch(Protocol):
    """A message to the database, and what to send to those who wait for it."""

    def calls(self) -> Sequence[Call]:
        """Returns the statements of the message."""

    def answers(self, rows: Sequence[Row]) -> list[bytes | None]:
        """Returns an answer for each of those who wait; None for what Django has to answer."""


class PatientsBatch:
    """Reads of one patient each."""

    def __init__(self, reads: Sequence[PlainRead]) -> None:
        self._reads = reads

    def calls(self) -> Sequence[Call]:
        ids = [read.patient_id for read in self._reads]
        values = gathered_reads.patients_values(ids, _readers(self._reads))
        return [Call("gathered_patients", gathered_reads.patients_statement, values)]

    def answers(self, rows: Sequence[Row]) -> list[bytes | None]:
        found = {place: patient for place, *patient in rows}
        return [
            patient_answer(read, *found[place]) if place in found else None
            for place, read in enumerate(self._reads, 1)
        ]


class PageMoment:
    """The moment that the next page is read after: each page gives that of the next."""

    since: datetime
    _read_at = 0.0

    def is_fresh(self) -> bool:
        return time.monotonic() - self._read_at < MOMENT_SECONDS

    def note(self, since: datetime) -> None:
        self.since, self._read_at = since, time.monotonic()

    def calls(self) -> Sequence[Call]:
        return [Call("open_since", lambda: f"AS {OPEN_SINCE}", ())]

    def answers(self, rows: Sequence[Row]) -> list[bytes | None]:
        self.note(rows[0][0])
        return []


class PageBatch:
    """Reads of the first page of the list, with the same limit: they share its text."""

    def __init__(self, reads: Sequence[PlainRead], moment: PageMoment) -> None:
        self._reads, self._moment, self._since = reads, moment, moment.since
        self._limit = reads[0].limit

    def calls(self) -> Sequence[Call]:
        statement = partial(gathered_reads.page_statement, self._limit)
        values = gathered_reads.page_values(self._since, _readers(self._reads))
        return [Call(f"gathered_page_{self._limit}", statement, values)]

    def answers(self, rows: Sequence[Row]) -> list[bytes | None]:
        cursor = gathered_reads.cursor_after(rows[0], self._since, self._limit) if rows else None
        if cursor is None:
            return [None] * len(self._reads)
        self._moment.note(rows[0][-1])
        array = rows[0][0].encode()
        return [page_answer(read, array, _next_page(read, cursor)) for read in self._reads]


def _next_page(read: PlainRead, cursor: str) -> str:
    return replace_query_param(read.origin + read.target, "cursor", cursor) if cursor else ""


def _readers(reads: Sequence[PlainRead]) -> list[Reader]:
    return [Reader(read.user_id, read.request_id) for read in reads]
