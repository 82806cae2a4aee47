"""The form of a file to import."""

from typing import Any

from django import forms
from django.conf import settings


class UploadForm(forms.Form):
    """A file of patients."""

    use_required_attribute = False

    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        error_messages={"required": "Choose a file."},
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,.ndjson,.json,.txt,.tsv"}),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["file"].help_text = (
            "CSV or Excel workbook (.xlsx) with a header row, or FHIR patients as NDJSON or "
            f"Bundle. At most {settings.IMPORT_MAX_BYTES // 1024**2} MB."
        )
