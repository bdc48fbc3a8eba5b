"""The console's files: what is served, how, and that nothing else is."""

import gzip
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from engine.api.pages import Pages
from engine.settings import Settings

HASHED = "main-0123456789.js"


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "index.html").write_text('<meta content="{stream}">')
    (tmp_path / f"{HASHED}.gz").write_bytes(gzip.compress(b"export default 1;"))
    (tmp_path / "secret.txt").write_text("no")
    return Pages(tmp_path, "wss://abc.execute-api.eu-west-1.amazonaws.com/live")


def asked(path: str, method: str = "GET", stage: str = "$default", **headers: str) -> Any:
    http = {"method": method, "path": path}
    told = {name.replace("_", "-"): text for name, text in headers.items()}
    context = {"http": http, "stage": stage, "requestId": "r1"}
    return {"rawPath": path, "headers": told, "requestContext": context}


def test_the_page_is_asked_for_again_and_names_the_stream(pages: Pages) -> None:
    answer = pages.handle(asked("/", accept_encoding="gzip, br"))
    assert answer["statusCode"] == 200
    assert answer["headers"]["Cache-Control"] == "no-cache"
    assert answer["headers"]["Content-Encoding"] == "gzip"
    page = gzip.decompress(b64decode(answer["body"])).decode()
    assert page == '<meta content="wss://abc.execute-api.eu-west-1.amazonaws.com/live">'
    again = pages.handle(asked("/", if_none_match=answer["headers"]["ETag"]))
    assert (again["statusCode"], again["body"]) == (304, "")


def test_a_hashed_file_is_kept_for_ever(pages: Pages) -> None:
    answer = pages.handle(asked(f"/console/{HASHED}", Accept_Encoding="gzip"))
    assert answer["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["headers"]["Content-Type"] == "text/javascript; charset=utf-8"


def test_who_takes_no_gzip_gets_it_plain(pages: Pages) -> None:
    answer = pages.handle(asked(f"/console/{HASHED}"))
    assert "Content-Encoding" not in answer["headers"]
    assert b64decode(answer["body"]) == b"export default 1;"


def test_the_policy_lets_nothing_in_from_elsewhere(pages: Pages) -> None:
    policy = pages.handle(asked("/"))["headers"]["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "connect-src 'self' wss://abc.execute-api.eu-west-1.amazonaws.com;" in policy


@pytest.mark.parametrize(
    "path", ["/console/", "/console/secret.txt", "/console/../app.py", "/console/index.html", "/x"]
)
def test_nothing_else_is_served(pages: Pages, path: str) -> None:
    answer = pages.handle(asked(path))
    assert answer["statusCode"] == 404
    assert answer["headers"]["Content-Type"] == "application/problem+json"


def test_it_is_read_and_not_written(pages: Pages) -> None:
    assert pages.handle(asked("/", "HEAD"))["body"] == ""
    answer = pages.handle(asked("/", "POST"))
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "GET, HEAD")


def test_a_stage_with_a_name_is_no_part_of_the_path(pages: Pages) -> None:
    assert pages.handle(asked("/test/", stage="test"))["statusCode"] == 200
    assert pages.handle(asked(f"/test/console/{HASHED}", stage="test"))["statusCode"] == 200


def test_unbuilt_it_says_how_to_build_it(tmp_path: Path) -> None:
    answer = Pages(tmp_path).handle(asked("/"))
    assert b"make console" in b64decode(answer["body"])


def test_the_stream_has_an_address_of_its_own_only_on_aws() -> None:
    told = {"TABLE_NAME": "t", "WEBSOCKET_API_ID": "abc", "WEBSOCKET_STAGE": "live"}
    told["AWS_REGION"] = "eu-west-1"
    url = "wss://abc.execute-api.eu-west-1.amazonaws.com/live"
    assert Settings.of(told).stream_url == url
    assert Settings.of({**told, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).stream_url == ""
