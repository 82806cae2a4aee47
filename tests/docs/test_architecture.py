"""The names in docs/architecture.md exist: modules, functions and the layers of patients."""

import re
import tomllib
from pkgutil import resolve_name

import pytest

from tests.compose.files import ROOT
from tests.docs.test_documents import PACKAGES

TEXT = (ROOT / "docs" / "architecture.md").read_text()


def dotted_names_in(text: str) -> list[str]:
    return sorted(set(re.findall(rf"`((?:{PACKAGES})(?:\.\w+)+)`", text)))


def is_known(name: str) -> bool:
    try:
        resolve_name(name)
    except (AttributeError, ImportError):
        return False
    return True


@pytest.mark.parametrize("name", dotted_names_in(TEXT))
def test_every_dotted_name_exists(name):
    assert is_known(name)


def test_the_picture_of_patients_has_the_layers_of_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [layers] = [
        contract["layers"]
        for contract in contracts["contracts"]
        if contract.get("containers") == ["portal.patients"]
    ]
    picture = TEXT.split("## The packages of portal/patients")[1].split("```")[1]
    boxes = re.findall(r"--> (?:\w+\[\"([^\"]+)\"\]|(\w+))", picture)
    drawn = ["urls", *(label or word for label, word in boxes)]
    assert drawn == [layer.replace(" | ", ", ") for layer in layers]


def test_the_table_of_patients_names_files_that_exist():
    table = TEXT.split("| package | what it has |")[1].split("\n\n")[0]
    names = [name for row in table.splitlines() for name in re.findall("`([^`]+)`", row)]
    assert len(names) > 10
    assert [name for name in names if not (ROOT / "portal" / "patients" / name).exists()] == []


def test_a_missing_name_is_found():
    assert dotted_names_in("`portal.patients.services.gone`") == ["portal.patients.services.gone"]
    assert not is_known("portal.patients.services.gone")
    assert not is_known("portal.gone.register_patient")
    assert is_known("portal.patients.services.register_patient")
