"""Frames above a size are not passed on, however their bytes come."""

import asyncio

import pytest
from websockets.frames import Frame, Opcode

from local.door.frames import FrameLimit

LIMIT = 1_000


class Inner(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard = b""

    def data_received(self, data: bytes) -> None:
        self.heard += data


def frame(size: int, *, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(Opcode.TEXT, bytes(size), fin).serialize(mask=mask)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 130, 1_005, 1_000_000])
def test_frames_are_told_apart_however_they_are_cut(step: int) -> None:
    inner, too_big = Inner(), []
    limited = FrameLimit(inner, LIMIT, lambda: too_big.append(len(inner.heard)))
    good = [frame(n) for n in (0, 5, 125, 126, LIMIT)] + [frame(9, fin=False, mask=False)]
    bad = [frame(LIMIT + 1), frame(70_000)]
    stream = b"".join([*good[:3], bad[0], *good[3:5], bad[1], good[5]])
    for at in range(0, len(stream), step):
        limited.data_received(stream[at : at + step])
    assert inner.heard == b"".join(good)
    assert len(too_big) == 2
