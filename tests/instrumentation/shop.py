"""A small project of its own, and the command line in it, as a person types it there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
SETTINGS = """
SECRET_KEY = "only for this test"
ALLOWED_HOSTS = ["shop.example"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["otelkit"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
OTELKIT = {"logs": {"exporters": ["console", "otlp"]}, "export": {"headers": {"Authorization": "Bearer s3cr3t"}}}
"""


def make(folder: Path) -> Path:
    """Writes the project into the folder, and gives that back."""
    (folder / "shop").mkdir()
    files = {"shop/__init__.py": "", "shop/settings.py": SETTINGS, "shop/urls.py": "urlpatterns = []\n", "manage.py": MANAGE}
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def otelkit(project: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and everything printed."""
    found = {"DJANGO_SETTINGS_MODULE": "shop.settings", **environment}
    inherited = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "TESTS_DATABASE")}
    command = [sys.executable, "-c", "import sys; from otelkit.cli import main; sys.argv[0] = 'otelkit'; sys.exit(main())", *arguments]
    done = subprocess.run(command, cwd=project, env={**inherited, **found}, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr
