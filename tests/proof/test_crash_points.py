"""Whatever goes wrong at whatever call, every promise is kept."""

import os
from collections import Counter
from dataclasses import replace
from itertools import cycle

import pytest

from tests.proof.border import Harm
from tests.proof.stories import DEATHS, STORIES, Story, Telling, distinct, points, tell

#: Every harm at every call.
EVERYTHING = os.environ.get("PROOF", "") == "all"
#: A story of more calls has deaths too at the first of each kind of call alone, and of the other
#: harms one there, in turn.
LONG = 150
stories = pytest.mark.parametrize("story", STORIES, ids=str)
#: What happens to the calls of some stories, besides deaths, also when time is short.
MORE: dict[str, tuple[Harm, ...]] = {
    "a plain order": tuple(Harm),
    "one key, many POSTs": tuple(Harm),
    "watchers come and go": (*DEATHS, Harm.REFUSED),
}


def good(telling: Telling) -> None:
    """Fail with the whole story if a promise was broken."""
    if telling.breaches:
        pytest.fail(str(telling), pytrace=False)


@stories
def test_a_story_in_which_nothing_goes_wrong_ends_well(story: Story) -> None:
    good(tell(story))


@stories
def test_whatever_goes_wrong_at_one_call_every_promise_is_kept(
    story: Story, thorough: bool, tally: Counter[str]
) -> None:
    calls = tell(story).world.border.calls
    harms = tuple(Harm) if thorough else MORE.get(story.name, DEATHS)
    once = [c for c in distinct(calls) if c.function in (story.functions or {c.function})]
    if thorough:
        once = calls if EVERYTHING else distinct(calls)
    others = [harm for harm in harms if harm not in DEATHS]
    short = EVERYTHING or len(calls) <= LONG
    deaths = calls if thorough and short else once
    harmed = points(once, others) if short else zip(once, cycle(others), strict=False)
    for call, harm in (*points(deaths, DEATHS), *harmed):
        good(tell(story, {call.number: harm}))
        tally["points at which a process dies" if harm in DEATHS else "other harms"] += 1


def test_whatever_the_next_process_dies_of_while_it_repairs_every_promise_is_kept(
    thorough: bool, tally: Counter[str]
) -> None:
    story = replace(STORIES[0], otherwise=frozenset({"EXPIRED"}))  # each death costs a minute
    calls = tell(story).world.border.calls
    workers = [call for call in calls if call.function == "worker"]
    for first, harm in points(calls if thorough else workers, DEATHS if thorough else DEATHS[:1]):
        calls = tell(story, {first.number: harm}).world.border.calls
        for second in (calls if thorough else distinct(calls))[first.number :]:
            good(tell(story, {first.number: harm, second.number: Harm.DIES_AFTER}))
            tally["pairs of deaths"] += 1


def test_there_are_over_a_hundred_points_and_every_function_has_some() -> None:
    calls = [call for story in STORIES for call in distinct(tell(story).world.border.calls)]
    functions = Counter(call.function for call in calls)
    assert len(calls) * len(DEATHS) > 100
    assert set(functions) == {
        "execute",
        "worker",
        "ws_connect",
        "ws_notify",
        "reconcile",
        "trigger",
    }
    assert min(functions.values()) >= 8
