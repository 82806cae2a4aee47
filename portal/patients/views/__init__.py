"""The pages of patients."""

from portal.patients.views.access import access
from portal.patients.views.archiving import archive, restore
from portal.patients.views.duplicates import duplicates, find, one_again, two_people
from portal.patients.views.editing import edit, understood
from portal.patients.views.history import as_it_was, history
from portal.patients.views.listing import index, suggest
from portal.patients.views.merging import choose, merge, unmerge
from portal.patients.views.reading import identifiers, label, show, tags
from portal.patients.views.registering import register, similar
from portal.patients.views.timeline import timeline
from portal.patients.views.undoing import undo

__all__ = [
    "access",
    "archive",
    "as_it_was",
    "choose",
    "duplicates",
    "edit",
    "find",
    "history",
    "identifiers",
    "index",
    "label",
    "merge",
    "one_again",
    "register",
    "restore",
    "show",
    "similar",
    "suggest",
    "tags",
    "timeline",
    "two_people",
    "understood",
    "undo",
    "unmerge",
]
