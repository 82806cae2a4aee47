"""What a whole column says: its codes, and the order of day and month that its dates prove."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from portal.imports.readers.values import value_key
from portal.patients.dates import DateOrder, TypedDate, parse_date, proven_order

MAX_VALUES = 200  # Different values of a column that are looked at.
MAX_VALUE_CHARACTERS = 30
MIXED_ORDERS = (
    "This date reads both ways, and the file has dates of both orders. Write it as 1984-03-15."
)


@dataclass
class ColumnSurvey:
    """What the values of one column have shown so far."""

    values: dict[str, str] = field(default_factory=dict)  # As typed, by key.
    orders: set[str] = field(default_factory=set)
    reads_both_ways: bool = False

    def add_value(self, text: str) -> None:
        """Takes a value into account; long ones are no codes."""
        if text and len(text) <= MAX_VALUE_CHARACTERS and len(self.values) < MAX_VALUES:
            self.values.setdefault(value_key(text), text)

    def add_date(self, text: str) -> None:
        """Takes a date into account."""
        if order := proven_order(text):
            self.orders.add(order)
        elif typed := _parse(text, DateOrder.DAY_FIRST):
            self.reads_both_ways = self.reads_both_ways or typed.exchanged is not None


def choose_order(surveys: Iterable[ColumnSurvey], chosen: str) -> str:
    """Returns the order that the columns prove, else the chosen one; "" if they prove both."""
    orders = {order for survey in surveys for order in survey.orders}
    if len(orders) > 1:
        return ""
    return next(iter(orders), chosen)


def read_in_order(text: str, order: str) -> str | None:
    """Returns the day that the text names in this order, as `1984-03-04`.

    Other texts stay as they are. None if the day reads both ways and there is no order.
    """
    typed = _parse(text, DateOrder(order or DateOrder.DAY_FIRST))
    if typed is None or typed.precision != "day":
        return text
    return None if typed.exchanged and not order else typed.first.isoformat()


def _parse(text: str, order: DateOrder) -> TypedDate | None:
    """Returns the date; None for a text that is none, which the check of the row refuses."""
    try:
        return parse_date(text, order=order)
    except ValueError:
        return None
