"""The proof notices every guard that is broken on purpose."""

from collections import Counter
from collections.abc import Iterator
from itertools import product

import pytest

from tests.proof.border import Harm
from tests.proof.breaks import BREAKS, Break
from tests.proof.stories import STORIES, Story, Telling, distinct, tell


def _breaches(story: Story) -> Iterator[Telling]:
    """Tell a story by itself, then with one call going wrong; yield where a promise breaks."""
    told = tell(story)
    if told.breaches:
        yield told
    for harm, call in product(Harm, distinct(told.world.border.calls)):
        telling = tell(story, {call.number: harm})
        if telling.breaches:
            yield telling


@pytest.mark.parametrize("guard", BREAKS, ids=lambda guard: guard.__name__)
def test_the_proof_goes_red_if_the_engine_were_to(
    guard: Break, monkeypatch: pytest.MonkeyPatch, tally: Counter[str]
) -> None:
    guard(monkeypatch)
    (story,) = [story for story in STORIES if story.name == BREAKS[guard]]
    assert next(_breaches(story), None) is not None, "nobody noticed"
    tally["broken guards noticed"] += 1
