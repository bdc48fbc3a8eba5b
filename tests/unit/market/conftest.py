"""How many examples the properties of the market are tried with."""

import os

from hypothesis import settings

settings.register_profile("market", max_examples=200, deadline=None)
settings.register_profile("market-ci", max_examples=1_000, deadline=None, print_blob=True)
settings.load_profile("market-ci" if os.environ.get("CI") == "true" else "market")
