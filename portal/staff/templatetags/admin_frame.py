"""Sidebar, user's links, buttons and filters of the admin, drawn once where they look the same."""

from django import template
from django.template import Context
from django.utils.safestring import SafeString, mark_safe

from portal.staff.theme import draw_anew, draw_once

register = template.Library()

SIDEBAR = "unfold/helpers/app_list.html"
USER_LINKS = "unfold/helpers/navigation_user.html"
BUTTONS = "admin/submit_line.html"
FILTER = "admin/filter.html"
SHOWN_BUTTONS = (
    *("can_change", "show_save", "show_save_and_continue", "show_save_and_add_another"),
    *("show_save_as_new", "show_close", "is_popup"),
)
_TOKEN_PLACE = "place-of-the-csrf-token"  # noqa: S105 - not a password.


@register.simple_tag(takes_context=True)
def admin_sidebar(context: Context) -> SafeString:
    """Draws the entries, which differ by rights and current entry."""
    entries = [entry for group in context["sidebar_navigation"] for entry in group["items"]]
    looks = [(entry["active"], entry["has_permission"]) for entry in entries]
    return mark_safe(draw_once(SIDEBAR, context, *looks))  # noqa: S308 - the template escapes.


@register.simple_tag(takes_context=True)
def admin_user_links(context: Context) -> SafeString:
    """Draws name and links of the user, with the token of their own for signing out."""
    user = context["user"]
    if not user.is_authenticated:
        return mark_safe(draw_anew(USER_LINKS, context))  # noqa: S308
    looks = (user.pk, user.email, user.full_name, user.has_usable_password())
    html = draw_once(USER_LINKS, context, *looks, csrf_token=_TOKEN_PLACE)
    return mark_safe(html.replace(_TOKEN_PLACE, str(context["csrf_token"])))  # noqa: S308


@register.simple_tag(takes_context=True)
def admin_buttons(context: Context) -> SafeString:
    """Draws the buttons of a form. Links to the list, or to a row's page, are the request's own."""
    has_own_links = context["show_delete_link"] or context.get("preserved_filters")
    if has_own_links or context.get("actions_submit_line"):
        return mark_safe(draw_anew(BUTTONS, context))  # noqa: S308
    shown = [bool(context.get(name)) for name in SHOWN_BUTTONS]
    label = context["opts"].label
    return mark_safe(draw_once(BUTTONS, context, label, *shown))  # noqa: S308


@register.simple_tag(takes_context=True)
def admin_filter(context: Context) -> SafeString:
    """Draws a filter of a list as it is before anything is searched for or filtered."""
    spec, choices = context["spec"], context["choices"]
    if spec.request.GET:  # Its choices carry on what was typed.
        return mark_safe(draw_anew(FILTER, context))  # noqa: S308
    looks = (type(spec).__name__, getattr(spec, "horizontal", False), context["title"])
    shown = [(choice["selected"], choice["query_string"], choice["display"]) for choice in choices]
    return mark_safe(draw_once(FILTER, context, *looks, *shown))  # noqa: S308
