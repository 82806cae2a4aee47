#!/usr/bin/env python
"""Django's commands, and ours: import_patients, export_patients, relay, create_topics, replay_events, seed_demo."""

import os
import sys
from pathlib import Path

import environ
from django.core.management import execute_from_command_line

# While `make run` runs, the addresses and secrets of its servers stand here; what the shell sets goes before.
RUNNING = Path(__file__).resolve().parent / ".run" / "run.env"

if __name__ == "__main__":
    if RUNNING.exists():
        environ.Env.read_env(RUNNING)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    execute_from_command_line(sys.argv)
