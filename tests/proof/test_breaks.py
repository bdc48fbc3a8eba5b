"""The proof notices every guard that is broken on purpose."""

from collections import Counter
from itertools import product

import pytest

from tests.proof.border import Harm
from tests.proof.breaks import BREAKS, Break
from tests.proof.stories import STORIES, Telling, distinct, tell


def _first_breach() -> Telling | None:
    """Look for a story that goes wrong: by itself, then with one call going wrong."""
    tellings = [tell(story) for story in STORIES]
    for telling in tellings:
        if telling.breaches:
            return telling
    for first, harm in product(tellings, Harm):
        for call in distinct(first.world.border.calls):
            telling = tell(first.story, {call.number: harm})
            if telling.breaches:
                return telling
    return None


@pytest.mark.parametrize("guard", BREAKS, ids=lambda guard: guard.__name__)
def test_the_proof_goes_red_if_the_engine_were_to(
    guard: Break, monkeypatch: pytest.MonkeyPatch, tally: Counter[str]
) -> None:
    guard(monkeypatch)
    telling = _first_breach()
    assert telling is not None, "nobody noticed"
    tally["broken guards noticed"] += 1
