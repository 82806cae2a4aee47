"""Times `manage.py reconcile`: `python -m tests.bench.reconcile --patients 1000000`.

Apache Kafka, PostgreSQL, billing and analytics run on this machine, and are filled directly.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
from sqlalchemy import make_url

from analytics_stream.audit import recount
from analytics_stream.database import open_engine
from embedded.apache import apache_kafka
from embedded.programs import is_listening, pick_free_port
from tests.analytics_stream.worker_process import run_worker as counting
from tests.bench import filling
from tests.bench.timing import timed
from tests.billing_grpc.process import command as billing_command
from tests.billing_grpc.process import environment as billing_environment
from tests.end_to_end.system import ROOT
from tests.servers import required_variables, run_databases
from tests.waits import wait_for

TOPIC = "patient"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=100_000)
    count = parser.parse_args().patients
    load, _, _ = psutil.getloadavg()
    print(
        f"{psutil.cpu_count()} cores with a load of {load:.1f} before, {count:,} patients",
        flush=True,
    )
    with (
        tempfile.TemporaryDirectory(prefix="portal-bench-", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        data = Path(folder)
        data.chmod(0o711)
        kafka = stack.enter_context(apache_kafka(data / "kafka"))
        urls = stack.enter_context(run_databases(data / "postgres"))
        environment = {
            **os.environ,
            **required_variables(data),
            **urls,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
        }
        fill(environment, count)
        port = pick_free_port()
        environment["BILLING_GRPC_ADDRESS"] = f"127.0.0.1:{port}"
        stack.enter_context(billing(urls["BILLING_DATABASE_URL"], port))
        analytics = sqlalchemy_url(urls["ANALYTICS_DATABASE_URL"])
        worker = stack.enter_context(counting(analytics, kafka.address, data))
        wait_for(lambda: worker.get("/health/ready")[1]["caughtUp"], seconds=120)
        environment["ANALYTICS_URL"] = f"http://127.0.0.1:{worker.port}"
        measure(environment)


def fill(environment: dict[str, str], count: int) -> None:
    portal, billing, analytics = (
        environment[f"{name}DATABASE_URL"] for name in ("", "BILLING_", "ANALYTICS_")
    )
    for arguments in (
        ["manage.py", "migrate", "--verbosity=0"],
        ["manage.py", "create_topics"],
        ["-m", "billing_grpc", "migrate"],
        ["-m", "analytics_stream", "migrate"],
    ):
        subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    timed("filling the portal", lambda: filling.fill_portal(portal, count))
    timed("filling billing", lambda: filling.fill_billing(portal, billing))
    timed("filling analytics", lambda: filling.fill_analytics(portal, analytics))
    broker = environment["KAFKA_BOOTSTRAP_SERVERS"]
    timed("filling the topic", lambda: filling.fill_topic(portal, broker, TOPIC))
    filling.start_at_the_end(analytics, broker, TOPIC)
    # The figures were not filled; a recount makes them from the states.
    with filling.session(analytics) as cursor:
        cursor.execute(
            "UPDATE last_event SET occurred_at = (SELECT max(occurred_at) FROM counted_event)"
        )
    timed("counting the figures", lambda: recount(open_engine(sqlalchemy_url(analytics))))


def measure(environment: dict[str, str]) -> None:
    load, _, _ = psutil.getloadavg()
    print(f"load before the reconciliation: {load:.1f}", flush=True)
    began, spent = time.monotonic(), psutil.Process().cpu_times()
    command = [sys.executable, "manage.py", "reconcile", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    seconds, now = time.monotonic() - began, psutil.Process().cpu_times()
    report = json.loads(done.stdout)
    cpu = now.children_user + now.children_system - spent.children_user - spent.children_system
    print("\n| what | measured |\n|---|---|")
    print(f"| `manage.py reconcile`, exit {done.returncode} | {seconds:.1f} s |")
    print(f"| its own processor time | {cpu:.1f} s |")
    for name, seconds in report["seconds"].items():
        print(f"| of that {name} | {seconds} s |")
    print(f"| its memory at most | {report['peakMemoryMb']:,} MB |\n")
    for store in report["stores"]:
        sizes = f"{store['patients']:,} patients, {store['changes']} changes"
        print(f"{store['store']}: {sizes} {store['note']}")
    print(report["byKind"], report["message"])


def billing(url: str, port: int):
    popen = subprocess.Popen(
        billing_command("serve"),
        env=billing_environment(sqlalchemy_url(url), BILLING_PORT=str(port)),
        stderr=subprocess.DEVNULL,
    )
    stack = ExitStack()
    stack.callback(popen.wait)
    stack.callback(popen.terminate)
    wait_for(lambda: is_listening(port))
    return stack


def sqlalchemy_url(text: str):
    return make_url(text).set(drivername="postgresql+psycopg2")


if __name__ == "__main__":
    main()
