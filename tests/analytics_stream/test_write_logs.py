"""Log lines, written in separate processes because a log belongs to a whole process."""

import json
import subprocess
import sys

BEGIN = """
import logging
from analytics_stream.logs import log_as_json
log_as_json("INFO")
"""


def lines_of(program):
    """Returns the lines that the program writes to standard error."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program], stderr=subprocess.PIPE, text=True, check=True
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_our_own_lines_are_all_written():
    lines = lines_of("""
for _ in range(3):
    logging.getLogger("analytics.batch_processor").info("The database is back.")
""")
    assert [line["event"] for line in lines] == ["The database is back."] * 3


def test_a_library_repeats_a_line_once_a_minute():
    lines = lines_of("""
for node in range(50):
    logging.getLogger("aiokafka").error("Unable connect to node with id %s", node)
logging.getLogger("aiokafka").error("Something else")
""")
    assert [line["event"] for line in lines] == [
        "Unable connect to node with id 0",
        "Something else",
    ]


def test_an_error_is_written_without_its_text():
    [line] = lines_of("""
try:
    raise ValueError("Jane Q. Public")
except ValueError as error:
    logging.getLogger("faust").exception("Crashed reason=%r", error)
""")
    assert (line["event"], line["error"]) == ("Crashed reason=ValueError", "ValueError")
    assert line["at"] == ["__main__:7"]
    assert "Jane" not in str(line)
