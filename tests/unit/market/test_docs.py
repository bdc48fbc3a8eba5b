"""The figures on the page are the code's."""

from bench.markdown import between
from bench.routing import PAGE, cases, counted


def test_the_figures_in_the_docs_are_what_the_code_gives():
    made = list(cases())
    assert between(PAGE.read_text(), "figures") == counted(made)
    wins = [case.winner() for case in made]
    assert min(wins.count("raydium"), wins.count("meteora")) >= 200
