"""asdbench: benchmark and reproduction harness for unsupervised anomalous sound detection.

``asdbench.embed`` gives the embedding of waveforms, ``asdbench.run`` does what ``asdbench run`` does. Importing
the package imports neither torch nor pandas, scipy or matplotlib.
"""

from __future__ import annotations

import importlib
from typing import Any

from asdbench.version import __version__

__all__ = ["__version__", "embed", "run"]


def __getattr__(name: str) -> Any:
    # These load numpy and more; the command line's help must not wait for that.
    if name == "embed":
        from asdbench.embeddings import embed

        return embed
    if name == "run":
        from asdbench.running.run import run

        return run
    if name == "testing":
        return importlib.import_module("asdbench.testing")
    raise AttributeError(f"module 'asdbench' has no attribute {name!r}")
