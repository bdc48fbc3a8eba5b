"""The functions answer their first event in the environment that the benchmark gives them."""

import pytest

from bench.lambdas import FUNCTIONS, unpacked


@pytest.mark.enable_socket
def test_a_cold_process_of_each_function_answers_its_first_event() -> None:
    with unpacked() as lambdas:
        for function in FUNCTIONS:
            assert lambdas.first(function) > 0
