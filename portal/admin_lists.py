"""Lists of the admin over tables of any size: no page reads a whole table."""

import json
from collections.abc import Iterable
from typing import Any, cast

from django.contrib.admin import AllValuesFieldListFilter
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList as ThemeChangeList

COUNTED = 10_000  # Rows that are counted, in half a millisecond; of more there is an estimate.


class EstimatingPaginator(Paginator):
    """Counts up to COUNTED rows; beyond, it takes what PostgreSQL's statistics estimate.

    A page beyond COUNTED reads as many rows to find its place, so for one of them all are counted.
    """

    template_name = "staff/admin_pages.html"  # For the theme.
    is_estimate = False

    @cached_property
    def count(self) -> int:
        rows = self._rows.order_by()
        counted = rows[: COUNTED + 1].count()
        if counted <= COUNTED:
            return counted
        self.is_estimate = True
        plan = json.loads(rows.explain(format="json"))
        return max(counted, int(plan[0]["Plan"]["Plan Rows"]))

    @property
    def _rows(self) -> QuerySet[Any]:
        return cast("QuerySet[Any]", self.object_list)

    def page(self, number: int | str) -> Page:
        """Returns the page; the last one for a number beyond the end that an estimate gave."""
        if self.count > COUNTED and int(number) * self.per_page > COUNTED:
            self.count = self._rows.count()
            self.is_estimate = False
            return super().page(min(int(number), self.num_pages))
        return super().page(number)


class ShortRowsList(ThemeChangeList):
    """A list that reads of its rows what it shows alone."""

    def get_queryset(self, request: HttpRequest, *more: Any, **named: Any) -> QuerySet[Any]:
        rows = super().get_queryset(request, *more, **named)
        columns = self.model_admin.list_columns
        return rows.only(*columns) if columns else rows


class PortalAdmin(ModelAdmin):
    """What all lists of the admin have in common."""

    list_per_page = 50
    paginator: type = EstimatingPaginator
    show_full_result_count = False
    list_columns: tuple[str, ...] = ()  # That a list reads of each row; all of them if empty.

    def get_changelist(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature.
        **kwargs: Any,  # noqa: ARG002
    ) -> type[ChangeList]:
        return ShortRowsList


def filter_by_known(values: Iterable[str]) -> type[AllValuesFieldListFilter]:
    """Returns a filter by these values of a column. Django's own looks for them in all rows."""
    known = sorted(values)

    class KnownValuesFilter(AllValuesFieldListFilter):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            cast("Any", self).lookup_choices = known  # Instead of a query that was not sent yet.

    return KnownValuesFilter
