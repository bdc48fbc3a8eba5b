"""Errors of the cloud itself become problem documents; a function's own answers do not change."""

import json

import pytest

from local.door.problems import heard, problem

JSON = "application/json"


def test_a_problem_document_has_all_of_its_members():
    assert problem(413, "At most 10 bytes.", request_id="r-1") == {
        "type": "/docs#BODY_TOO_LARGE",
        "title": "Request Entity Too Large",
        "status": 413,
        "detail": "At most 10 bytes.",
        "code": "BODY_TOO_LARGE",
        "requestId": "r-1",
    }


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, {"message": "Not Found"}, "NOT_FOUND"),
        (429, {"__type": "TooManyRequestsException", "message": "Rate Exceeded"}, "THROTTLED"),
        (500, {"message": "Internal Server Error"}, "INTERNAL_ERROR"),
        (503, {"message": "Service Unavailable"}, "UNAVAILABLE"),
        (504, {"message": "Endpoint request timed out"}, "TIMEOUT"),
    ],
)
def test_what_the_gateway_says_is_a_problem(status, body, code):
    document = heard(status, JSON, json.dumps(body).encode(), request_id="r-1")
    assert document is not None
    assert (document["status"], document["code"], document["requestId"]) == (status, code, "r-1")


def test_a_crashed_function_is_an_internal_error_that_tells_nothing_of_its_insides():
    body = {"errorMessage": "secret at line 3", "errorType": "Runtime.HandlerError"}
    document = heard(502, JSON, json.dumps(body).encode())
    assert document is not None
    assert (document["status"], document["code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in json.dumps(document)


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (200, JSON, b'{"message":"fine"}'),
        (422, "application/problem+json", b'{"message":"mine","status":422}'),
        (409, JSON, b'{"status":409,"message":"a function said this"}'),
        (400, JSON, b"[]"),
        (400, JSON, b'{"other":1}'),
        (400, JSON, b"not json"),
        (404, "text/html", b"<p>no</p>"),
    ],
)
def test_what_a_function_says_goes_on_as_it_is(status, content_type, body):
    assert heard(status, content_type, body) is None
