"""How many examples the properties are tried with: enough for a change, a thousand in CI."""

import os

from hypothesis import settings

settings.register_profile("change", max_examples=60, deadline=None)
# In CI the same ones every time: what is red there is red for everybody.
settings.register_profile(
    "ci", max_examples=1_000, deadline=None, print_blob=True, derandomize=True, database=None
)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "change")
