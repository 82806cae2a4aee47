"""Tables with a header, however they are stored: their columns are fields, their records rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from portal.imports.readers import values
from portal.imports.readers.columns import Columns, understand_header
from portal.imports.readers.rows import Row, Unreadable
from portal.imports.readers.survey import (
    DATES,
    ColumnSurvey,
    DateRule,
    choose_rule,
    facts_of,
    survey_columns,
)
from portal.imports.readers.table_rows import Record, RowReader, is_filled
from portal.patients.dates import clinic_order

MAX_COLUMNS = 250  # A wider table is refused.
SAMPLED_RECORDS = 50  # Records that samples are taken from.
MAX_SAMPLE_CHARACTERS = 80  # The rest of a longer value is cut off.
FACT_RECORDS = 1000  # Records that are looked at before the columns are set.


@dataclass(frozen=True)
class TableSettings:
    """How a table is read: what is not set follows from the table itself.

    `columns` is the field of each column ("" leaves it out). `values` are the meanings of the
    values of a field: {"sex": {"w": "female"}}. `date_order` is the order of day and month.
    """

    columns: Sequence[str] = ()
    encoding: str = ""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    date_order: str = ""


PLAIN = TableSettings()


class TableFile:
    """A table whose header was found.

    `numeric` are the positions of columns with numbers, whose leading zeros are lost.
    """

    format = ""
    encoding = ""  # Of a text file.
    header_number = 0  # The row that is the header.

    def __init__(self, path: Path, header: Sequence[str], given: TableSettings) -> None:
        if len(header) > MAX_COLUMNS:
            advice = "Keep those of the patients."
            raise Unreadable(f"The file has more than {MAX_COLUMNS} columns. {advice}")
        self.path, self.size = path, path.stat().st_size
        self.header, self.settings = [cell.strip() for cell in header], given
        self.numeric: set[int] = set()

    @cached_property
    def columns(self) -> Columns:
        """What the columns mean; Unreadable if rows cannot be told to be about a patient."""
        return understand_header(self.header, self.settings.columns)

    def require_columns(self) -> None:
        """Unreadable, with what a header must be, if rows cannot be told to be about a patient."""
        understand_header(self.header, self.settings.columns)

    @property
    def ignored(self) -> list[str]:
        """The names of the columns that are not imported."""
        return self.columns.ignored

    def records(self) -> Iterator[Record]:
        """Yields every record in order, the header and what stands before it too.

        It can be called again.
        """
        raise NotImplementedError

    def first_records(self) -> list[Record]:
        """Returns the header and the first records after it."""
        filled = (record for record in self.records() if record.number >= self.header_number)
        return list(islice(filled, SAMPLED_RECORDS + 1))

    def rows(self, after: int = 0) -> Iterator[Row]:
        """See PatientFile."""
        for record in self.behind_header():
            if record.number > after and is_filled(record):
                yield self.row_reader.read(record)

    def samples(self, count: int) -> list[list[str]]:
        """Returns the first `count` values of each column."""
        samples: list[list[str]] = [[] for _ in self.header]
        for record in self.first_records()[1:]:
            if record.fault:
                continue
            for column, cell in zip(samples, record.cells, strict=False):
                if cell.strip() and len(column) < count:
                    column.append(cell.strip()[:MAX_SAMPLE_CHARACTERS])
        return samples

    def behind_header(self) -> Iterator[Record]:
        """Yields the records below the header."""
        return (record for record in self.records() if record.number > self.header_number)

    @cached_property
    def row_reader(self) -> RowReader:
        """Makes the rows of the records."""
        surveys = self.surveys.items()
        english = {name: values.are_english_codes(survey.values) for name, survey in surveys}
        return RowReader(self.header, self.columns, self.settings.values, english, self.date_rule)

    @cached_property
    def date_rule(self) -> DateRule:
        """How the dates are read: as the file proves, else in the chosen order."""
        surveys = [survey for name, survey in self.surveys.items() if name in DATES]
        return choose_rule(surveys, self.settings.date_order or clinic_order())

    @cached_property
    def surveys(self) -> dict[str, ColumnSurvey]:
        """What the columns of codes and dates say as a whole, by field: this reads the file once.

        Without it the last row of a file could show that the first one was read wrong.
        """
        fields = {
            index: name
            for index, name in enumerate(self.columns.fields)
            if name and (name in values.MAPPED or name in DATES)
        }
        surveys = {name: ColumnSurvey() for name in fields.values()}
        if fields:
            survey_columns(self.behind_header(), fields, surveys)
        return surveys

    def column_facts(self) -> list[dict[str, Any]]:
        """Returns for each column what its first records show: `values`, and `dates`.

        `values` is empty for a column with many values, `dates` is empty for one without dates
        whose order matters, else the orders that they prove, or `both`.
        """
        fields = dict(enumerate(str(index) for index in range(len(self.header))))
        surveys = {name: ColumnSurvey() for name in fields.values()}
        records = (record for record in self.behind_header() if not record.fault)
        survey_columns(islice(records, FACT_RECORDS), fields, surveys, all_kinds=True)
        return [facts_of(survey) for survey in surveys.values()]
