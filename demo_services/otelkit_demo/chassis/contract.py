"""The schema that a service promised, compared with what it does: a sample of the traffic, by the kit's middleware."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from otelkit.patterns import api

SHARE_VARIABLE = "CONTRACT_SHARE"


class Contract(api.ContractMiddleware):
    """Reads ``openapi.yaml`` beside the service's settings. Of twenty requests one is compared; tests say all."""

    share = float(os.environ.get(SHARE_VARIABLE, "0.05"))

    def __init__(self, get_response: Any) -> None:
        configured: Any = settings
        project = sys.modules[configured.SETTINGS_MODULE].__file__
        assert project is not None
        self.schema = Path(project).with_name("openapi.yaml")
        super().__init__(get_response)
