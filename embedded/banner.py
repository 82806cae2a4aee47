"""The text that is printed when everything runs."""

from collections.abc import Mapping
from pathlib import Path

ROLES = ("frontdesk", "clinician", "billing", "analyst", "auditor", "operator")


def banner(environment: Mapping[str, str], *, logs: Path) -> str:
    """Returns the portal's address, the accounts of the demo, a line for the API, and the logs."""
    address = f"http://localhost:{environment['PORTAL_PORT']}"
    password = environment["DEMO_PASSWORD"]
    return f"""
  Patient Portal   {address}

  Sign in as       {", ".join(f"{role}@demo.example" for role in ROLES[:3])},
                   {", ".join(f"{role}@demo.example" for role in ROLES[3:])}
  Password         {password}

  The API          {curl_line(address, password)}
{kafka_lines(environment)}
  Logs             {logs}, a file for each process; warnings and errors
                   follow here

  Ctrl-C ends everything.
"""


def kafka_lines(environment: Mapping[str, str]) -> str:
    """Returns where Kafka is. Consumers in Java get no message from the embedded broker."""
    address = environment["KAFKA_BOOTSTRAP_SERVERS"]
    if environment.get("KAFKA") == "apache":
        return f"""
  Kafka            {address}
"""
    return f"""
  Kafka            {address}, in memory. A consumer in Java gets nothing from it, and no
                   error: it needs a real broker, KAFKA=apache make run
"""


def curl_line(address: str, password: str) -> str:
    """Returns a shell command that signs in as the front desk and lists patients."""
    sign_in = f"""{{"email": "frontdesk@demo.example", "password": "{password}"}}"""
    ask = f"""curl -s {address}/auth/login -H 'Content-Type: application/json' -d '{sign_in}'"""
    token = f"""{ask} | sed -E 's/.*"token": ?"([^"]+)".*/\\1/'"""
    return f'curl -s {address}/api/patients -H "Authorization: Bearer $({token})"'
