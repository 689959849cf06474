"""Two buffers that take turns: nothing is lost, and what was handed out holds until the piece behind the next."""

from __future__ import annotations

import io
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.stores.pieces import PIECE, Buffers, buffers


@given(data=st.binary(max_size=500), most=st.integers(1, 64))
def test_all_bytes_come_in_order(data: bytes, most: int) -> None:
    found = [bytes(each) for each in Buffers(most).pieces(io.BytesIO(data).readinto)]
    assert b"".join(found) == data
    assert all(len(each) <= most for each in found)


@given(data=st.binary(max_size=500), most=st.integers(1, 64))
def test_one_piece_may_be_kept_back(data: bytes, most: int) -> None:
    offset = 0
    for kept, following in pairwise(Buffers(most).pieces(io.BytesIO(data).readinto)):
        assert bytes(kept) == data[offset : offset + len(kept)]
        offset += len(kept)
        assert bytes(following) == data[offset : offset + len(following)]


@given(before=st.binary(max_size=200), behind=st.binary(max_size=200), most=st.integers(1, 64))
def test_one_piece_may_be_kept_back_over_a_break(before: bytes, behind: bytes, most: int) -> None:
    """A source that breaks off may have filled a part of a buffer; the next one goes on where it did."""
    shared, first = Buffers(most), io.BytesIO(before)

    def broken(buffer: memoryview) -> int:
        if count := first.readinto(buffer):
            return count
        buffer[:] = bytes(len(buffer))
        return 0

    found = chain(shared.pieces(broken), shared.pieces(io.BytesIO(behind).readinto))
    offset, data = 0, before + behind
    for kept, following in pairwise(found):
        assert bytes(kept) == data[offset : offset + len(kept)]
        offset += len(kept)
        assert bytes(following) == data[offset : offset + len(following)]


def test_however_much_is_to_come_a_piece_has_its_limit() -> None:
    with buffers(10 * PIECE) as lent:
        assert next(lent.pieces(io.BytesIO(bytes(2 * PIECE)).readinto)).nbytes == PIECE


def test_buffers_are_used_again_and_by_nobody_at_the_same_time() -> None:
    with buffers() as one, buffers() as other:
        assert one is not other
    with buffers() as first, buffers() as second:
        assert {first, second} == {one, other}


@pytest.mark.parametrize("most", [0, 1, 1000])
def test_little_takes_little_memory(most: int) -> None:
    with buffers(most) as lent:
        assert next(lent.pieces(io.BytesIO(b"x" * 1000).readinto)).nbytes == max(1, most)
