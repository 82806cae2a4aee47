"""A query interpretation: one thing that a search text may mean, and the order of its patients."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import F, Q, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from portal.patients.models import Patient

# The order of names: along the index, or of an expression without an index. With the latter the
# database first finds the patients, then sorts them: right where a few are found among many.
INDEXED_ORDER = F("sort_key")
SORTED_ORDER = Concat("sort_key", Value(""), output_field=TextField())
LAST_CHARACTER = "\U0010ffff"  # sorts after every other character
END_OF_WORD = "!"  # sorts after a space and before every letter


@dataclass(frozen=True)
class QueryInterpretation:
    """One thing that the text may mean: the patients it finds, their order, and the reason shown.

    `key` names the interpretation in cursors. A partial one finds patients who lack a typed word:
    on a page the user judges them, in a file they have no place.
    """

    key: str
    condition: Q
    reason: Callable[[Patient], str]
    order: Combinable = SORTED_ORDER
    is_partial: bool = False


def prefix_range(field: str, prefix: str, *, is_whole: bool = False) -> Q:
    """Returns the condition that the field begins so, as a range that an index on it can find.

    With `is_whole`, the last word of the prefix has to end there.
    """
    end = prefix + (END_OF_WORD if is_whole else LAST_CHARACTER)
    return Q(**{f"{field}__gte": prefix, f"{field}__lt": end})


def begins_with(expression: Combinable, prefix: str) -> Q:
    """Returns the same condition for an expression, which needs an index of its own."""
    end = Value(prefix + LAST_CHARACTER)
    return Q(GreaterThanOrEqual(expression, Value(prefix))) & Q(LessThan(expression, end))
