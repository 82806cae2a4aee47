"""A field is drawn with its label, hint and error tied to it, and with its value escaped."""

import re

import pytest
from django.forms.renderers import DjangoTemplates

from portal.accounts.forms import SignInForm
from portal.patients.forms.register import RegisterForm
from portal.staff import renderer
from portal.staff.fields import macro_call
from portal.staff.jinja import CompiledTemplates, environment

ODD_VALUES = ["Ash", 'O\'Neil & "Sons"', "<b>", "\x020\x03", "0", "a\nb", ""]


def draw(form, name) -> str:
    return re.sub(r"\s+", " ", form[name].as_field_group())


def test_an_error_is_tied_to_its_field():
    form = SignInForm(None, {"email": ""})
    html = draw(form, "email")
    assert '<label class="nhsuk-label" for="id_email">' in html.replace("label  ", "label ")
    assert 'aria-describedby="id_email-error"' in html
    assert "Enter your e-mail address." in html


def test_a_typed_value_comes_back_escaped():
    evil = """"><script>alert('x')</script>"""
    html = draw(RegisterForm({"family_name": evil, "token": "t"}), "family_name")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_password_is_never_written_back():
    assert "secret" not in draw(SignInForm(None, {"password": "secret"}), "password")


def test_the_boxes_of_a_date_are_one_group_with_a_hint():
    form = RegisterForm({"date_of_birth_0": "15", "date_of_birth_1": "mar", "token": "t"})
    html = draw(form, "date_of_birth")
    assert "<fieldset" in html
    assert "id_date_of_birth-hint" in html
    assert "Enter the year." in html
    assert html.count('type="text"') == 3
    assert 'value="mar"' in html


@pytest.mark.parametrize("value", ODD_VALUES)
def test_a_field_out_of_memory_is_what_its_macro_draws(value):
    renderer._drawn.clear()
    for typed in ("Another", value, value):
        names = ("family_name", "address_line1", "date_of_birth_0", "date_of_birth_2", "sex")
        form = RegisterForm(initial={**dict.fromkeys(names, typed), "token": "t"})
        form.initial["date_of_birth"] = [typed, "", "1984"]
        for field in form:
            if not field.is_hidden:
                name, parameters = macro_call(field)
                drawn = renderer._call_macro(name, parameters)
                assert field.as_field_group() == drawn


@pytest.mark.parametrize("value", [*ODD_VALUES, None])
def test_a_hidden_field_is_what_django_draws(value):
    form = RegisterForm({"token": value} if value is not None else None)
    rows = form.identifiers.management_form
    for field in (form["token"], *rows):
        widget = field.field.widget
        context = widget.get_context(field.html_name, field.value(), {"id": field.auto_id})
        expected = DjangoTemplates().render(widget.template_name, context)
        assert field.as_widget() == expected


def test_a_form_changes_no_other_form():
    form, other = RegisterForm(), RegisterForm({})
    assert form.fields["family_name"].widget.attrs["autofocus"]
    assert "autofocus" not in other.fields["family_name"].widget.attrs
    assert "autofocus" not in RegisterForm.base_fields["family_name"].widget.attrs
    form.fields["city"].label = "Village"
    form.fields["city"].widget.input_type = "search"
    assert (other.fields["city"].label, other.fields["city"].widget.input_type) == (
        "Town or city",
        "text",
    )


def test_a_template_is_compiled_once_and_changes_with_the_code(tmp_path, monkeypatch):
    monkeypatch.setattr(CompiledTemplates, "FOLDER", tmp_path / "compiled")
    draw_anew()
    [kept] = (tmp_path / "compiled").iterdir()
    monkeypatch.setattr("jinja2.environment.Environment.compile", None)
    draw_anew()  # Without the compiler.
    monkeypatch.undo()
    monkeypatch.setattr(CompiledTemplates, "FOLDER", tmp_path / "compiled")
    monkeypatch.setattr("jinja2.__version__", "99")
    draw_anew()
    assert len([*kept.parent.iterdir()]) == 2


def test_a_template_is_drawn_where_nothing_can_be_kept(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(CompiledTemplates, "FOLDER", tmp_path / "file" / "no folder")
    draw_anew()


def draw_anew():
    """Draws a template as a new process would."""
    template = environment.__wrapped__().get_template("staff/recent.jinja")
    assert template.render(patients=[]) == ""


def test_no_typed_value_stays_in_memory():
    renderer._drawn.clear()
    for data in ({"family_name": "Rarename"}, {"date_of_birth_2": "Rarename"}):
        form = RegisterForm({**data, "token": "t"})
        for field in form:
            field.as_field_group()
    assert renderer._drawn
    assert "Rarename" not in str(renderer._drawn)
