"""Headers in other languages, and headers below titles of groups of columns."""

import pytest

from portal.imports.readers import open_patients, recognise_file
from portal.imports.readers.columns import fields_for, guess_fields
from tests.portal.imports.test_read_xlsx import workbook


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (
            "Vorname;Nachname;Geburtsdatum;Geschlecht;Straße;PLZ;Ort;Telefon;E-Mail;"
            "Versichertennummer",
            "given_name family_name date_of_birth sex address_line1 postal_code city phone email "
            "insurance",
        ),
        (
            "NAME;Vornamen;Geb.-Datum (TT.MM.JJJJ);STRASSE;Land;Familienstand",
            "family_name given_name date_of_birth address_line1 country marital_status",
        ),
        (
            "Nom;Prénom;Date de naissance;Sexe;Adresse;Code postal;Ville;Téléphone;Courriel;"
            "N° assuré",
            "family_name given_name date_of_birth sex address_line1 postal_code city phone email "
            "insurance",
        ),
        (
            "Nombre;Apellidos;Fecha de nacimiento;Sexo;Dirección;Código postal;Ciudad;Teléfono;"
            "Correo electrónico",
            "given_name family_name date_of_birth sex address_line1 postal_code city phone email",
        ),
        (
            "nome,sobrenome,data_nascimento,sexo,endereço,CEP,cidade,telefone,e-mail",
            "given_name family_name date_of_birth sex address_line1 postal_code city phone email",
        ),
        (
            "Cognome;Nome;Data di nascita;Sesso;Indirizzo;CAP;Città;Telefono",
            "family_name given_name date_of_birth sex address_line1 postal_code city phone",
        ),
        ("fechaNacimiento;Prenom", "date_of_birth given_name"),
    ],
)
def test_headers_of_five_languages_are_guessed(header, fields):
    names = header.split(";" if ";" in header else ",")
    assert [name or "-" for name in guess_fields(names)] == fields.split()


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        # What means other things in other languages, or half of a name, is a person's to say.
        (["Name", "First name"], [None, "given_name"]),
        (["Nome", "Telefone"], [None, "phone"]),
        (["Nombre", "Teléfono"], [None, "phone"]),
        (["cap", "family_name"], [None, "family_name"]),
        (["Primer apellido", "Segundo apellido", "Geburtsname"], [None] * 3),
        (["Name", "Nachname", "Vorname"], [None, "family_name", "given_name"]),
    ],
)
def test_words_that_do_not_say_enough_are_not_guessed(header, fields):
    assert fields_for(header) == fields


def test_a_german_file_is_read_without_a_choice(file):
    content = (
        "Nachname;Vorname;Geburtsdatum;Geschlecht;PLZ\nMüller;Anna;15.03.1984;weiblich;04103\n"
    )
    [row] = open_patients(file(content)).rows()
    assert not row.problems
    assert row.details == {
        "family_name": "Müller",
        "given_name": "Anna",
        "date_of_birth": "1984-03-15",
        "sex": "female",
        "postal_code": "04103",
    }


GROUPS = [
    ["Identifiers", "", "Name", "", "", "Address", "", "Phone"],
    ["MRN", "SSN", "Family name", "Given name", "Date of birth", "Street", "City", "Home"],
    ["(text)", "(text)", "text", "text", "TT.MM.JJJJ", "text", "text", "text"],
    ["7", "219-09-9990", "Sample", "Ada", "1984-03-15", "1 Row", "Salem", "617 555 0131"],
]
FOREIGN_GROUPS = [
    ["Osoba", "", "Kontakt", ""],
    ["Příjmení", "Jméno", "Mobil", "Město"],
    ["Novák", "Jan", "601 123 456", "Praha"],
]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_titles_of_groups_above_the_header_are_no_header(file, form):
    """Red where the first row that names two columns is taken, and the header for a person."""
    content = workbook(*GROUPS) if form == "xlsx" else _csv(GROUPS)
    opened = open_patients(file(content))
    units, person = opened.rows()
    assert opened.header[2] == "Family name"
    assert "describes the columns" in units.problems[0].reason
    assert (person.details["family_name"], person.number) == ("Sample", 4)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_fuller_row_below_titles_is_proposed_as_the_header(file, form):
    content = workbook(*FOREIGN_GROUPS) if form == "xlsx" else _csv(FOREIGN_GROUPS)
    assert recognise_file(file(content)).header == FOREIGN_GROUPS[1]


def test_a_header_that_lacks_names_stays_the_header_above_people(file):
    content = _csv([["Příjmení", "", "Mobil", ""], ["Novák", "x", "601", "y"]])
    assert recognise_file(file(content)).header[:3] == ["Příjmení", "", "Mobil"]


def _csv(rows: list[list[str]]) -> str:
    return "\n".join(map(",".join, rows)) + "\n"
