"""The running API against its own contract; `make fuzz` does more of it."""

from contracts.fuzz import fuzz
from engine.adapters.aws.keys import DynamoAccess
from local.ops.keys import create
from local.system import System


def test_no_request_gets_an_answer_outside_the_contract(
    keyed: System, access: DynamoAccess
) -> None:
    key = create(access, "fuzz")
    report = fuzz(keyed.url, key, examples=10, seed=5)
    print(f"{report.table()}\n{report.cases} cases")
    assert report.passed, report.output
    assert report.broken == 0
    assert report.cases >= 300
