"""A12: the kit never makes Django load the user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_a_logged_in_request_that_never_reads_the_user_asks_the_database_nothing():
    """A12: by Django's own count, on a SQLite with sessions and users; the view that reads the user shows that both would be asked for."""
    program = [sys.executable, "-W", "error", "-m", "tests.instrumentation.database.shop_with_users"]
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    ran = subprocess.run(program, cwd=Path(__file__).parents[3], env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr[-2000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found == {
        "quiet": {"answer": "ok", "asked": 0, "counted": 0},
        "async/quiet": {"answer": "ok", "asked": 0, "counted": 0},
        "user": {"answer": "ada", "asked": 2, "counted": 2},
    }
