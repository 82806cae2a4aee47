"""Dates of the admin, in the clinic's order; the staff's pages have template filters of their own.

Django takes formats from a module for the language before it looks at the settings.
"""

from django.conf import settings

DATE_FORMAT = "d-M-Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = f"{DATE_FORMAT} {TIME_FORMAT}"


def date_input_formats(date_order: str) -> list[str]:
    """Returns the dates that a form takes; `date_order` is that of the setting DATE_ORDER."""
    numeric = "%m/%d/%Y" if date_order == "MDY" else "%d/%m/%Y"
    return ["%Y-%m-%d", numeric, "%d.%m.%Y", "%d %b %Y", "%d-%b-%Y", "%d %B %Y"]


DATE_INPUT_FORMATS = date_input_formats(settings.DATE_ORDER)
