"""No secret has a default or is in the tree, and one command generates all secrets."""

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.compose.files import ROOT, Service, fill_in, read_services, read_stages, substitutions

SERVICES = read_services()
SECRET = re.compile(r"PASSWORD|SECRET|_KEY|_AUTH|DATABASE_URL|BROKER_URL")
REQUIRED = re.compile(r"\$\{[A-Z_]+:\?run sh docker/secrets\.sh\}")


def secrets_with_default(service: Service) -> list[str]:
    """Returns the secret variables that would work without a value in .env."""
    return [
        name
        for name, value in (service.get("environment") or {}).items()
        if SECRET.search(name) and not REQUIRED.search(str(value))
    ]


@pytest.mark.parametrize("name", SERVICES)
def test_a_missing_secret_stops_the_start_with_the_command_that_makes_it(name):
    assert secrets_with_default(SERVICES[name]) == []


@pytest.mark.parametrize(
    "value", ["changeme", "${SECRET_KEY}", "${SECRET_KEY:-changeme}", "${SECRET_KEY:?}", None]
)
def test_a_secret_with_a_default_is_found(value):
    assert secrets_with_default({"environment": {"SECRET_KEY": value}}) == ["SECRET_KEY"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_among_the_words_of_a_command(name):
    """Every account that may list processes can read them there."""
    assert substitutions(SERVICES[name].get("command")) == []


@pytest.mark.parametrize("stage", read_stages())
def test_no_secret_stays_in_an_image(stage):
    assert [name for name in read_stages()[stage].env if SECRET.search(name)] == []


def test_a_database_password_reaches_the_server_and_its_client_alone():
    holders = {
        name: {
            part.partition(":")[0]
            for part in substitutions(service["environment"])
            if "PASSWORD" in part
        }
        for name, service in SERVICES.items()
    }
    assert holders["billing"] == {"BILLING_DATABASE_PASSWORD"}
    assert holders["analytics"] == {"ANALYTICS_DATABASE_PASSWORD"}
    assert holders["portal"] == {"PORTAL_DATABASE_PASSWORD", "VALKEY_PASSWORD"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "docker").mkdir()
    shutil.copy(ROOT / "docker" / "secrets.sh", tmp_path / "docker")
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    return tmp_path


def make_secrets(tree: Path) -> dict[str, str]:
    subprocess.run(["sh", "docker/secrets.sh"], cwd=tree, check=True, capture_output=True)
    lines = [
        line.partition("=") for line in (tree / ".env").read_text().splitlines() if "=" in line
    ]
    return {name: value for name, _, value in lines}


def test_the_script_makes_every_secret_for_its_owner_only(tree):
    made = make_secrets(tree)
    assert set(made) == {part.partition(":")[0] for part in substitutions(SERVICES) if ":?" in part}
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in made.values())
    assert len(set(made.values())) == len(made)
    assert stat.S_IMODE((tree / ".env").stat().st_mode) == 0o600
    assert sorted(path.name for path in tree.iterdir()) == [".env", "compose.yaml", "docker"]


def test_the_script_keeps_what_is_there(tree):
    (tree / ".env").write_text("# Ours.\nCLINIC_NAME=Hill Road\nSECRET_KEY=kept\nJWT_SIGNING_KEY=")
    made = make_secrets(tree)
    assert made["CLINIC_NAME"] == "Hill Road"
    assert made["SECRET_KEY"] == "kept"
    assert len(made["JWT_SIGNING_KEY"]) == 64
    assert make_secrets(tree) == made


def test_the_secrets_stay_out_of_git_and_of_images():
    ignored = subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=ROOT, check=False)
    assert ignored.returncode in (0, 128)  # 128: an unpacked archive is no repository.
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"


def test_the_address_of_each_database_is_of_the_right_shape():
    assert fill_in(SERVICES["billing"]["environment"]["BILLING_DATABASE_URL"]) == (
        "postgresql://billing:secret@postgres:5432/billing"
    )
