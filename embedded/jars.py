"""The jars of Apache Kafka, brought once by Maven and shared by every clone on this machine."""

import os
import shutil
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from embedded import programs

POM = Path(__file__).resolve().parent.parent / "docker" / "kafka" / "pom.xml"


def kafka_jars() -> Path:
    """The folder with the jars of the version that docker/kafka/pom.xml names.

    Raises RuntimeError when Maven is missing or cannot bring them.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "patient-portal"
    jars = cache / f"kafka-{_version()}"
    if not jars.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        _bring(jars)
    return jars


def _version() -> str:
    return ElementTree.parse(POM).findtext("{*}version", "")  # noqa: S314 - our own file


def _bring(jars: Path) -> None:
    """Whole or not at all: the folder gets its name when everything is in it."""
    maven = shutil.which("mvn")
    if maven is None:
        raise RuntimeError(
            "KAFKA=apache needs Maven (Debian: apt-get install maven) to bring the jars of Kafka."
        )
    new = Path(tempfile.mkdtemp(prefix=f"{jars.name}.", dir=jars.parent))
    try:
        programs.run(
            [maven, "-B", "-q", "-f", POM, "package", f"-Djars={new}"],
            what="Bringing the jars of Kafka",
        )
        new.rename(jars)
    except OSError:
        if not jars.is_dir():  # Else another run was quicker, and its jars are as good.
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


if __name__ == "__main__":
    print(kafka_jars())
