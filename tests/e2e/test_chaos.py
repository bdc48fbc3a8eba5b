"""A small storm on the embedded cloud; `make chaos` makes a large one."""

from local.system import running
from tests.chaos.report import parameters, storm, table


def test_no_promise_is_broken_in_a_storm() -> None:
    with running(parameters(faults=10)) as system:
        outcome = storm(system, orders=30, seed=7, hidden=15, parents=3, parts=4)
    print(table(outcome))
    assert outcome.broken == []
    assert len(outcome.history.ends) >= 25
    parents = [end for end in outcome.history.ends.values() if end.plan is not None]
    assert len(parents) >= 2
    assert any(end.plan.filled for end in parents if end.plan)
    assert outcome.done["worker processes killed"] + outcome.done["messages doubled"] > 3
