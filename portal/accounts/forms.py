"""The forms to sign in and to change the own password."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest

from portal.accounts.lockouts import check_password
from portal.accounts.models import User
from portal.accounts.rules import user_of

# The same message for an unknown user, so that it reveals nobody's name.
WRONG_PAIR = "E-mail or password is wrong."


class SignInForm(forms.Form):
    """Checks e-mail and password, and holds the `user` whose they are."""

    use_required_attribute = False

    email = forms.CharField(
        label="E-mail",
        max_length=254,
        error_messages={"required": "Enter your e-mail address."},
        widget=forms.EmailInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label="Password",
        max_length=4096,
        strip=False,
        error_messages={"required": "Enter your password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: User | None = None

    def clean(self) -> dict[str, Any]:
        pair = self.cleaned_data
        if not self.errors:
            self.user = check_password(self.request, **pair)
            if self.user is None:
                raise forms.ValidationError(WRONG_PAIR)
        return pair


class NewPasswordForm(forms.Form):
    """Takes the old and the new password, each once: a box can show what was typed."""

    use_required_attribute = False

    old_password = forms.CharField(
        label="Current password",
        max_length=4096,
        strip=False,
        error_messages={"required": "Enter the password that you have today."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        label="New password",
        max_length=4096,
        strip=False,
        help_text="10 characters at least. A few words that belong together only for you are good.",
        error_messages={"required": "Enter a new password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.user = request, user_of(request)

    def clean_old_password(self) -> str:
        # Wrong ones are counted: nobody can guess without end in a session left open.
        pair = {"email": self.user.email, "password": self.cleaned_data["old_password"]}
        if check_password(self.request, **pair) != self.user:
            raise forms.ValidationError("This is not the password that you have today.")
        return self.cleaned_data["old_password"]

    def clean_new_password(self) -> str:
        validate_password(self.cleaned_data["new_password"], self.user)
        return self.cleaned_data["new_password"]
