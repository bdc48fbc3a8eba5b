"""Frames above a size are not passed on, however their bytes come."""

import asyncio

import pytest
from websockets.frames import Frame, Opcode

from local.door.frames import FrameLimit

LIMIT = 1_024


class Inner(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard = b""

    def data_received(self, data: bytes) -> None:
        self.heard += data


def frame(size: int, *, opcode: Opcode = Opcode.TEXT, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(opcode, bytes(size), fin).serialize(mask=mask)


def heard(stream: bytes, step: int) -> tuple[bytes, list[str]]:
    """Send a stream in pieces of `step` bytes; return what passed and what was refused."""
    inner, refused = Inner(), list[str]()
    limited = FrameLimit(inner, LIMIT, 3 * LIMIT, refused.append)
    for at in range(0, len(stream), step):
        limited.data_received(stream[at : at + step])
    return inner.heard, refused


steps = pytest.mark.parametrize("step", [1, 2, 3, 7, 130, 1_029, 1_000_000])


@steps
def test_what_is_within_the_limits_passes_however_it_is_cut(step: int) -> None:
    parts = [frame(LIMIT, fin=False), *[frame(LIMIT, opcode=Opcode.CONT, fin=False)] * 2]
    parts.insert(2, frame(125, opcode=Opcode.PING))
    whole = [frame(n) for n in (0, 5, 125, 126, LIMIT)] + [frame(9, mask=False)]
    stream = b"".join([*whole, *parts, *whole])
    assert heard(stream, step) == (stream, [])


@steps
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ([frame(LIMIT + 1)], "a frame has at most 1 KB"),
        ([frame(70_000)], "a frame has at most 1 KB"),
        ([frame(1, fin=False), frame(LIMIT + 1, opcode=Opcode.CONT)], "a frame has at most 1 KB"),
        (
            [frame(LIMIT, fin=False), *[frame(LIMIT, opcode=Opcode.CONT, fin=False)] * 3],
            "a message has at most 3 KB",
        ),
    ],
    ids=["frame", "large frame", "part", "message"],
)
def test_from_what_is_too_big_on_only_control_frames_pass(
    bad: list[bytes], reason: str, step: int
) -> None:
    good, close = frame(5), frame(2, opcode=Opcode.CLOSE)
    stream = b"".join([good, *bad, frame(7), close, frame(3, opcode=Opcode.CONT)])
    assert heard(stream, step) == (b"".join([good, *bad[:-1], close]), [reason])
