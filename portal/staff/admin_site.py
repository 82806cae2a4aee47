"""The operators' admin: the theme's site, which works out once what is the same for all requests.

For each request the theme merges its settings, looks whether each text of them names a function,
converts colours, copies the tree of the sidebar and lists all models, which no page of ours shows.
"""

from typing import Any
from urllib.parse import urlparse

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject, cached_property
from unfold.sites import UnfoldAdminSite

from portal.staff.admin_menu import NAVIGATION

Group = dict[str, Any]
# What differs from request to request.
PER_REQUEST = ("has_permission", "available_apps", "log_entries", "sidebar_navigation")


class PortalAdminSite(UnfoldAdminSite):
    """Its pages show what those of the theme's site show."""

    _same_for_all: dict[str, Any] | None = None

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Returns what every page of the admin needs. The lists of it are shared: do not change
        them."""
        if self._same_for_all is None:
            theme = super().each_context(request)
            self._same_for_all = {k: v for k, v in theme.items() if k not in PER_REQUEST}
        has_permission = self.has_permission(request)
        return {
            **self._same_for_all,
            "has_permission": has_permission,
            "available_apps": SimpleLazyObject(lambda: self.get_app_list(request)),
            "log_entries": SimpleLazyObject(lambda: self.get_log_entries(request)),
            "sidebar_navigation": self.get_sidebar_list(request) if has_permission else [],
        }

    def get_sidebar_list(self, request: HttpRequest) -> list[Group]:
        """Returns the groups of the sidebar, each entry with whether it is current and allowed."""
        return [
            {**group, "items": [self._entry(entry, request) for entry in group["items"]]}
            for group in NAVIGATION
        ]

    def _entry(self, entry: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        may_open = entry.get("permission")
        return {
            **entry,
            "active": self._is_current(entry, request),
            "has_permission": may_open is None or may_open(request),
        }

    def _is_current(self, entry: dict[str, Any], request: HttpRequest) -> bool:
        if "active" in entry:
            return bool(entry["active"](request))
        path = urlparse(str(entry["link"])).path
        if path == self._index_path:
            return request.path == path
        return path in request.path

    @cached_property
    def _index_path(self) -> str:
        return reverse("admin:index")
