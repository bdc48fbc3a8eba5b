"""Measure the engine: `make bench`. What runs from the sources finds the engine as a layer would."""

import sys
from pathlib import Path

_ENGINE = str(Path(__file__).resolve().parents[1] / "layers" / "common")
if _ENGINE not in sys.path:
    sys.path.insert(0, _ENGINE)
