"""The channels beside the API: raw SQL as the owner of the database, and the import command."""

import csv
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg2

from tests.fault.history import History, Operation, Outcome
from tests.fault.people import person
from tests.fault.system import System

IMPORT_ATTEMPTS = 5
CLEAN = 0


class Sql:
    """Writes by SQL: each write is a statement in its own transaction and connection."""

    def __init__(self, system: System) -> None:
        self._system = system

    def change(self, operation: Operation) -> None:
        statement = "UPDATE patients_patient SET address_line2 = %s WHERE id = %s"
        self._write(operation, statement, [operation.mark, operation.patient])

    def register(self, operation: Operation) -> None:
        statement = """
            INSERT INTO patients_patient (family_name, given_name, address_line2)
            VALUES (%s, %s, %s)
        """
        patient = person(operation)
        values = [patient["familyName"], patient["givenName"], operation.mark]
        self._write(operation, statement, values)

    def change_and_roll_back(self, operation: Operation) -> None:
        self._write(
            operation,
            "UPDATE patients_patient SET address_line2 = %s WHERE id = %s",
            [operation.mark, operation.patient],
            commit=False,
        )

    def _write(
        self, operation: Operation, statement: str, values: list[str], *, commit: bool = True
    ) -> None:
        operation.outcome = Outcome.FAILED  # Until the commit is asked for.
        try:
            with closing(self._system.connect("portal")) as connection:
                with connection.cursor() as cursor:
                    cursor.execute("SET statement_timeout = '8s'")
                    cursor.execute(statement, values)
                if commit:
                    operation.outcome = Outcome.UNKNOWN
                    connection.commit()
                    operation.outcome = Outcome.OK
        except psycopg2.Error as error:
            operation.errors.append(type(error).__name__)


def import_people(system: System, history: History, folder: Path, *, count: int) -> list[Operation]:
    """Imports a file by the command until it succeeds. Returns an operation for each row."""
    operations = [history.new("import") for _ in range(count)]
    file = folder / f"people-{operations[0].number}.csv"
    _write(file, operations)
    outcome = Outcome.UNKNOWN
    for _ in range(IMPORT_ATTEMPTS):
        try:
            done = system.command(
                "import_patients", str(file), "--rejects", str(file.with_suffix(".rejects"))
            )
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == CLEAN:
            outcome = Outcome.OK
            break
    for operation in operations:
        with history.under_way(operation):
            operation.outcome = outcome
    return operations


def _write(file: Path, operations: list[Operation]) -> None:
    columns = ["family_name", "given_name", "date_of_birth", "sex", "region"]
    names = ["familyName", "givenName", "dateOfBirth", "sex", "region"]
    with file.open("w", newline="") as output:
        rows = csv.writer(output)
        rows.writerow([*columns, "address_line2", "insurance"])
        for operation in operations:
            patient = person(operation)
            values = [patient[name] for name in names]
            rows.writerow([*values, operation.mark, f"INS-{operation.number}"])
