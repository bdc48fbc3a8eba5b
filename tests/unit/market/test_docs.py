"""The figures on the page are the code's."""

from bench.markdown import between
from bench.routing import PAGE, cases, counted
from engine.market.simulation import VENUES


def test_the_figures_in_the_docs_are_what_the_code_gives():
    made = list(cases())
    assert between(PAGE.read_text(), "figures") == counted(made)
    for venue in VENUES:
        assert sum(f"{venue}_best" in case.facts for case in made) >= 200
