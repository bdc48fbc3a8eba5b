"""A stack whose functions start from snapshots; the embedded cloud runs their hooks as AWS does."""

from local.system import running
from tests.e2e.client import Trader


def test_functions_that_start_from_snapshots_take_an_order_and_tell_it_to_the_end() -> None:
    with running({"SnapStart": "on"}, warm={}) as system:
        functions = system.client("lambda")
        for name in ("execute", "ws_connect"):
            version = {"FunctionName": system.stack.functions[name], "Qualifier": "live"}
            functions.get_waiter("published_version_active").wait(
                **version, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )
            starts = functions.get_function_configuration(**version)["SnapStart"]
            assert starts == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
        with Trader(system) as trader:
            watch = trader.watch(trader.place())
            assert watch.to_the_end()[-1]["status"] == "confirmed"
