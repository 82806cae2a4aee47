"""The user's own account: name and roles, keys, password, and sign-ins."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from portal.accounts import services
from portal.accounts.forms import NewPasswordForm
from portal.accounts.rules import SIGNED_IN, allow, user_of
from portal.accounts.selectors import sign_ins_of

PROFILE = "accounts:profile"


@allow(SIGNED_IN)
@never_cache
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Shows the account and what the user may change in it."""
    return _page(request, NewPasswordForm(request))


@allow(SIGNED_IN)
@require_POST
def change_keys(request: HttpRequest) -> HttpResponse:
    """Switches single keys on or off."""
    is_on = request.POST.get("single_keys") == "on"
    services.set_single_keys(user_of(request), on=is_on)
    messages.success(request, f"Single keys are {'on' if is_on else 'off'}.")
    return redirect(PROFILE)


@allow(SIGNED_IN)
@require_POST
@sensitive_post_parameters()
def change_password(request: HttpRequest) -> HttpResponse:
    """Sets a new password; this browser stays signed in, all others do not."""
    user = user_of(request)
    form = NewPasswordForm(request, request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    services.set_password(user, form.cleaned_data["new_password"], but=request.session.session_key)
    update_session_auth_hash(request, user)
    messages.success(request, "Your password is changed. You are signed out everywhere else.")
    return redirect(PROFILE)


@allow(SIGNED_IN)
@require_POST
def end_sign_in(request: HttpRequest) -> HttpResponse:
    """Signs out one other browser or program, or all others."""
    mark = request.POST.get("mark", "")
    if mark:
        services.end_sign_in(user_of(request), mark)
    else:
        services.end_all_sign_ins(user_of(request), but=request.session.session_key)
    messages.success(request, "Signed out there." if mark else "Signed out everywhere else.")
    return redirect(PROFILE)


def _page(request: HttpRequest, form: NewPasswordForm, *, status: int = 200) -> HttpResponse:
    user = user_of(request)
    context = {
        "form": form,
        "roles": [group.name for group in user.groups.all()],
        "sign_ins": sign_ins_of(user, session_key=request.session.session_key),
    }
    return render(request, "accounts/profile.html", context, status=status)
