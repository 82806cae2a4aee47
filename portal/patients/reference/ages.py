"""Ages in the words of a clinic."""

from datetime import date


def age_in_words(born: date, precision: str, *, until: date) -> str:
    """Returns the age, with "about" if the date of birth is not known to the day."""
    words = age_between(born, until)
    return words if precision == "day" else f"about {words}"


def age_between(start: date, end: date) -> str:
    """Returns a whole number of years from 2 on, of months from 2 months on, else of days."""
    months = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    if months >= 24:
        return f"{months // 12} years"
    if months >= 2:
        return f"{months} months"
    days = (end - start).days
    return "1 day" if days == 1 else f"{days} days"
