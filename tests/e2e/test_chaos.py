"""A small storm on the embedded cloud; `make chaos` makes a large one."""

from local.system import running
from tests.chaos.report import parameters, storm, table


def test_no_promise_is_broken_in_a_storm() -> None:
    with running(parameters(faults=10)) as system:
        outcome = storm(system, orders=30, seed=7, hidden=15)
    print(table(outcome))
    assert outcome.broken == []
    assert len(outcome.history.ends) >= 25
    assert outcome.done["worker processes killed"] + outcome.done["messages doubled"] > 3
