"""The form of the sign-in page."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest

from portal.accounts.models import User

WRONG_PAIR = "E-mail or password is wrong."  # The same words for an unknown person: nobody can fish for names.


class SignInForm(forms.Form):
    """Finds the user of a right pair, as `user`."""

    use_required_attribute = False

    email = forms.CharField(
        label="E-mail",
        max_length=254,
        error_messages={"required": "Enter your e-mail address."},
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
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
            found = authenticate(self.request, email=pair["email"].strip().lower(), password=pair["password"])
            if not isinstance(found, User):
                raise forms.ValidationError(WRONG_PAIR)
            self.user = found
        return pair
