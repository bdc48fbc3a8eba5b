"""A message is believed only as it was signed, by a secret that is good, and while it is new."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from engine.domain.signatures import TOLERANCE, signed_at, signed_headers

NOW = datetime(2026, 11, 27, 2, 40, tzinfo=UTC)
SECRET, OTHER, SHORT = (
    "whsec_" + b64encode(c * n).decode() for c, n in ((b"a", 32), (b"b", 32), (b"c", 8))
)
BODY = b'{"type":"launch","data":{"mint":"M"}}'
GOOD = signed_headers("msg_1", NOW, BODY, SECRET)
SIGNATURE = GOOD["webhook-signature"]


def _at(away: timedelta) -> dict[str, str]:
    return signed_headers("msg_1", NOW + away, BODY, SECRET)


def test_the_specification_s_own_example_verifies() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', secret)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        (GOOD, [SECRET]),
        (GOOD, [OTHER, SECRET]),
        (GOOD, [SHORT, "", "whsec_", SECRET]),
        ({**GOOD, "webhook-signature": f"v1,AAAA {SIGNATURE}"}, [SECRET]),
        ({**GOOD, "webhook-signature": f"v1a,AAAA v2,x {SIGNATURE}"}, [SECRET]),
        (_at(-TOLERANCE), [SECRET]),
        (_at(TOLERANCE), [SECRET]),
    ],
)
def test_what_is_signed_by_a_good_secret_is_believed(
    headers: Mapping[str, str], secrets: list[str]
) -> None:
    assert signed_at(headers, BODY, secrets, now=NOW) is not None


HOSTILE = {
    "old": _at(-TOLERANCE - timedelta(seconds=1)),
    "future": _at(TOLERANCE + timedelta(seconds=1)),
    "another id": {**GOOD, "webhook-id": "msg_2"},
    "another time": {**GOOD, "webhook-timestamp": str(int(GOOD["webhook-timestamp"]) + 1)},
    "no id": {**GOOD, "webhook-id": ""},
    "an id with a full stop": signed_headers("msg.1", NOW, BODY, SECRET),
    "an id with a line's end": signed_headers("m\r\nx: y", NOW, BODY, SECRET),
    "a long id": signed_headers("m" * 129, NOW, BODY, SECRET),
    "an id of another script": signed_headers("mé", NOW, BODY, SECRET),
    "no time": {**GOOD, "webhook-timestamp": ""},
    "a time with a sign": {**GOOD, "webhook-timestamp": "+" + GOOD["webhook-timestamp"]},
    "a time with blanks": {**GOOD, "webhook-timestamp": " " + GOOD["webhook-timestamp"]},
    "a time with a fraction": {**GOOD, "webhook-timestamp": GOOD["webhook-timestamp"] + ".0"},
    "a time in other digits": {**GOOD, "webhook-timestamp": "١٧٦٤٢١١٢٠٠"},
    "an endless time": {**GOOD, "webhook-timestamp": "9" * 400},
    "a word for a time": {**GOOD, "webhook-timestamp": "nan"},
    "no signature": {**GOOD, "webhook-signature": ""},
    "an empty signature": {**GOOD, "webhook-signature": "v1,"},
    "no version": {**GOOD, "webhook-signature": SIGNATURE.removeprefix("v1,")},
    "an older version": {**GOOD, "webhook-signature": SIGNATURE.replace("v1,", "v0,")},
    "the other kind": {**GOOD, "webhook-signature": SIGNATURE.replace("v1,", "v1a,")},
    "a version in capitals": {**GOOD, "webhook-signature": SIGNATURE.replace("v1,", "V1,")},
    "parted by commas": {**GOOD, "webhook-signature": f"v1,AAAA,{SIGNATURE}"},
    "cut short": {**GOOD, "webhook-signature": SIGNATURE[:-4]},
    "no base64": {**GOOD, "webhook-signature": SIGNATURE[:-2] + "!="},
    "in hex": {**GOOD, "webhook-signature": "v1," + "00" * 32},
    "a flood of signatures": {**GOOD, "webhook-signature": "v1,AAAA " * 200 + SIGNATURE},
    "nothing at all": {},
}


@pytest.mark.parametrize("headers", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_message_is_not_believed(headers: Mapping[str, str]) -> None:
    assert signed_at(headers, BODY, [SECRET], now=NOW) is None


@pytest.mark.parametrize("n", range(len(BODY)))
def test_a_body_with_one_byte_changed_is_not_believed(n: int) -> None:
    changed = BODY[:n] + bytes([BODY[n] ^ 1]) + BODY[n + 1 :]
    assert signed_at(GOOD, changed, [SECRET], now=NOW) is None


@pytest.mark.parametrize("secrets", [[], [OTHER], ["", "whsec_"], ["whsec_!"], [SHORT]])
def test_without_the_secret_nothing_is_believed(secrets: list[str]) -> None:
    """Another's, a revoked one, an empty one, one that is none, one that is too short."""
    assert signed_at(GOOD, BODY, secrets, now=NOW) is None


@pytest.mark.parametrize("secret", ["", "whsec_", SHORT])
def test_nothing_is_signed_with_a_weak_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="24 bytes"):
        signed_headers("msg_1", NOW, BODY, secret)
