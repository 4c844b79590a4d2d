"""Where the files lie that stand beside the project, which tests read and the project does not hold."""

from __future__ import annotations

import os
from pathlib import Path


def shared_folder(name: str) -> Path | None:
    """The folder of that name in ``shared``, looked for beside the project and above it; OTELKIT_SHARED names ``shared`` itself.

    None where there is none, and the test that needs it is to be skipped.
    """
    places = [Path(parent) / "shared" for parent in Path(__file__).resolve().parents]
    # Under pytest the variable has another name, as tests/conftest.py takes the kit's variables away.
    places[:0] = [Path(os.environ[variable]) for variable in ("TESTS_SHARED", "OTELKIT_SHARED") if variable in os.environ]
    return next((place / name for place in places if (place / name).is_dir()), None)
