"""The text that is printed when everything runs."""

from collections.abc import Mapping

ROLES = ("frontdesk", "clinician", "billing", "analyst", "auditor", "operator")


def banner(environment: Mapping[str, str]) -> str:
    """Returns the portal's address, the accounts of the demo, and a line for the API."""
    address = f"http://localhost:{environment['PORTAL_PORT']}"
    password = environment["DEMO_PASSWORD"]
    return f"""
  Patient Portal   {address}

  Sign in as       {", ".join(f"{role}@demo.example" for role in ROLES[:3])},
                   {", ".join(f"{role}@demo.example" for role in ROLES[3:])}
  Password         {password}

  The API          {curl_line(address, password)}

  Ctrl-C ends everything.
"""


def curl_line(address: str, password: str) -> str:
    """Returns a shell command that signs in as the front desk and lists patients."""
    sign_in = f"""{{"email": "frontdesk@demo.example", "password": "{password}"}}"""
    ask = f"""curl -s {address}/auth/login -H 'Content-Type: application/json' -d '{sign_in}'"""
    token = f"""{ask} | sed -E 's/.*"token": ?"([^"]+)".*/\\1/'"""
    return f'curl -s {address}/api/patients -H "Authorization: Bearer $({token})"'
