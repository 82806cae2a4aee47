"""A field is drawn with its label, hint and error tied to it, and with what was typed made harmless."""

import re

from portal.accounts.forms import SignInForm
from portal.patients.forms.register import RegisterForm


def drawn(form, name) -> str:
    return re.sub(r"\s+", " ", form[name].as_field_group())


def test_an_error_is_read_out_with_its_field():
    form = SignInForm(None, {"email": ""})
    html = drawn(form, "email")
    assert '<label class="nhsuk-label" for="id_email">' in html.replace("label  ", "label ")
    assert 'aria-describedby="id_email-error"' in html
    assert "Enter your e-mail address." in html


def test_what_was_typed_comes_back_as_text():
    evil = """"><script>alert('x')</script>"""
    html = drawn(RegisterForm({"family_name": evil, "token": "t"}), "family_name")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_password_is_never_written_back():
    assert "secret" not in drawn(SignInForm(None, {"password": "secret"}), "password")


def test_the_boxes_of_a_date_are_one_group_with_a_hint():
    html = drawn(
        RegisterForm({"date_of_birth_0": "15", "date_of_birth_1": "mar", "token": "t"}),
        "date_of_birth",
    )
    assert "<fieldset" in html
    assert "id_date_of_birth-hint" in html
    assert "Enter the year." in html
    assert html.count('type="text"') == 3
    assert 'value="mar"' in html
