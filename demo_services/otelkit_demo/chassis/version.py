"""Which version of its service this process runs."""

from __future__ import annotations

import os

from otelkit_demo.faults import GOOD_VERSION, VERSION_VARIABLE

VERSION = os.environ.get(VERSION_VARIABLE, GOOD_VERSION)
