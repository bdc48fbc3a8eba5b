"""The Postman collection has every route with an example and its tests."""

import re

from tests.postman.collection import collection, routes


def test_every_route_has_an_example_and_its_tests() -> None:
    found = set()
    for folder in collection()["item"]:
        for item in folder["item"]:
            path = "/" + "/".join(item["request"]["url"]["path"])
            found.add((item["request"]["method"], re.sub(r":(\w+)", r"{\1}", path)))
            (event,) = item["event"]
            assert sum("pm.test(" in line for line in event["script"]["exec"]) >= 3, item["name"]
    assert found == routes()


def test_what_is_asked_for_is_kept_before_or_set_by_whoever_runs_it() -> None:
    told = collection()
    known = {each["key"] for each in told["variable"]}
    items = [item for folder in told["item"] for item in folder["item"]]
    for item in items:
        used = set(re.findall(r"\{\{(\w+)\}\}", str(item["request"])))
        assert used <= known, item["name"]


def test_it_says_how_to_watch() -> None:
    about = collection()["info"]["description"]
    assert '{"action":"subscribe","orderId":"..."}' in about
    assert "{{wsUrl}}" in about
