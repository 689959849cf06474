"""Who waits for a socket waits no longer than was said, whoever counts."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest

from planner.stores import channel
from planner.stores.channel import Channel

Ends = tuple[Channel, socket.socket]


@pytest.fixture(
    params=[
        pytest.param(
            True,
            id="the-kernel-counts",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="the kernel is another one"),
        ),
        pytest.param(False, id="python-counts"),
    ]
)
def ends(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    monkeypatch.setattr(channel, "_KERNEL_COUNTS", request.param)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours, is_over_tls=False), theirs


def test_what_comes_is_there_at_once(ends: Ends) -> None:
    ours, theirs = ends
    ours.wait_at_most(60)
    theirs.sendall(b"abc")
    buffer = bytearray(8)
    assert ours.receive_into(memoryview(buffer)[:1]) == 1
    assert (bytes(buffer[:1]), ours.receive(8)) == (b"a", b"bc")
    ours.send_all(b"back")
    assert theirs.recv(8) == b"back"


def test_the_end_is_no_silence(ends: Ends) -> None:
    ours, theirs = ends
    ours.wait_at_most(60)
    theirs.close()
    assert ours.receive(8) == b""


def test_silence_is_over_in_time(ends: Ends) -> None:
    ours, _ = ends
    ours.wait_at_most(0.05)
    with pytest.raises(TimeoutError, match="timed out"):
        ours.receive(8)
    with pytest.raises(TimeoutError, match="timed out"):
        ours.receive_into(memoryview(bytearray(8)))


def test_who_takes_nothing_is_waited_for_no_longer_either(ends: Ends) -> None:
    ours, _ = ends
    ours.wait_at_most(0.05)
    much = bytes(1 << 24)
    with pytest.raises(TimeoutError, match="timed out"):
        ours.send_all(much)
    with pytest.raises(TimeoutError, match="timed out"):
        ours.send(memoryview(much))
