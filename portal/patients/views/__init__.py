"""The pages of patients."""

from portal.patients.views.archiving import archive, restore
from portal.patients.views.editing import edit, understood
from portal.patients.views.listing import index, suggest
from portal.patients.views.reading import history, show, tags
from portal.patients.views.registering import register, similar

__all__ = [
    "archive",
    "edit",
    "history",
    "index",
    "register",
    "restore",
    "show",
    "similar",
    "suggest",
    "tags",
    "understood",
]
