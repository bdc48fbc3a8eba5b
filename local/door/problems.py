"""Problem documents (RFC 9457) for what the front door answers, or hears, instead of a function."""

import json
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

PROBLEM_JSON = "application/problem+json"

#: The engine's own codes where it has one for the same thing; docs/errors.md lists them.
CODES = {
    HTTPStatus.BAD_REQUEST: "BAD_REQUEST",
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "FORBIDDEN",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "BODY_TOO_LARGE",
    HTTPStatus.UPGRADE_REQUIRED: "UPGRADE_REQUIRED",
    HTTPStatus.TOO_MANY_REQUESTS: "THROTTLED",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "HEADERS_TOO_LARGE",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL_ERROR",
    HTTPStatus.BAD_GATEWAY: "BAD_GATEWAY",
    HTTPStatus.SERVICE_UNAVAILABLE: "UNAVAILABLE",
    HTTPStatus.GATEWAY_TIMEOUT: "TIMEOUT",
}
_DETAILS = {
    HTTPStatus.FORBIDDEN: "The request was refused.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too much at once; try again in a moment.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The function failed; its log tells why.",
}


def problem(status: int, detail: str, *, request_id: str = "") -> dict[str, Any]:
    """Return a problem document; its code follows from its status."""
    if status not in CODES:  # not ours to tell what the cloud means by it
        status = HTTPStatus.BAD_GATEWAY
    code = CODES[HTTPStatus(status)]
    return {
        "type": f"/docs#{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
        "requestId": request_id or str(uuid.uuid4()),
    }


def heard(
    status: int, content_type: str, body: bytes, *, request_id: str = ""
) -> Mapping[str, Any] | None:
    """Return the problem behind an error that the cloud itself answered, None for any other answer.

    The cloud says `{"message": …}`; a crashed function is a 502 with `errorType`, where AWS says
    500 and hides the rest.
    """
    if status < HTTPStatus.BAD_REQUEST or not content_type.startswith("application/json"):
        return None
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict) or "status" in document:
        return None
    if "errorType" in document or "errorMessage" in document:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    elif "message" not in document:
        return None
    said = str(document.get("message", ""))
    detail = _DETAILS.get(HTTPStatus(status), said or "The cloud gave no reason.")
    return problem(status, detail, request_id=request_id)
