"""Imported by every Python that starts with this folder on its PYTHONPATH: the command of ``otelkit run``, and its children.

PYTHONPATH stays as it is, because children need it: the autoreloader's server, spawned workers. ``sys.path`` gets the folder taken off,
and a ``sitecustomize`` that this one hides is imported, so that the program finds everything as without us.
"""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  (every child of the command runs this: no pathlib)

sys.path[:] = [entry for entry in sys.path if entry != FOLDER]
try:
    import otelkit.auto  # noqa: F401  (the import is the start)
except ImportError as error:
    # Another interpreter than ours. Of the command itself one wants to know; its children may be any program.
    if os.environ.get("OTELKIT_RUN") == str(os.getpid()):
        print(
            f"otelkit run: {sys.executable} cannot import otelkit ({error}), so there is no telemetry. Install otelkit there too.",
            file=sys.stderr,
        )

_this = sys.modules.pop("sitecustomize")
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401  (the one that would have been imported without us)
except ModuleNotFoundError as error:
    if error.name != "sitecustomize":
        raise
finally:
    sys.modules.setdefault("sitecustomize", _this)
