"""The form that takes a file of patients."""

from django import forms

TRY, NOW = "try", "now"


class UploadForm(forms.Form):
    use_required_attribute = False

    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        error_messages={"required": "Choose a file."},
        help_text="CSV with a header line, or FHIR patients as NDJSON. UTF-8.",
        widget=forms.FileInput(attrs={"accept": ".csv,.ndjson,.json,.txt"}),
    )
    mode = forms.ChoiceField(
        label="What shall happen",
        choices=[(TRY, "Try it first: count what would happen, write nothing"), (NOW, "Import it now")],
        initial=TRY,
        widget=forms.RadioSelect(attrs={"class": "nhsuk-radios--small"}),
        error_messages={"required": "Choose whether to try it first."},
    )
    allow_duplicates = forms.BooleanField(
        label="Also register people who look like patients that are there already", required=False
    )
