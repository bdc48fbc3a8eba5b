"""Measure the engine: `make bench`. From the sources, the engine is found as in a layer."""

import sys
from pathlib import Path

_ENGINE = str(Path(__file__).resolve().parents[1] / "layers" / "common")
if _ENGINE not in sys.path:
    sys.path.insert(0, _ENGINE)
