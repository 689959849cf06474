"""Two buffers that take turns: nothing is lost, and what was handed out holds until the piece behind the next."""

from __future__ import annotations

import io
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from planner.stores.pieces import PIECE, pieces


@given(data=st.binary(max_size=500), most=st.integers(1, 64))
def test_all_bytes_come_in_order(data: bytes, most: int) -> None:
    found = [bytes(each) for each in pieces(io.BytesIO(data).readinto, most)]
    assert b"".join(found) == data
    assert all(len(each) <= most for each in found)


@given(data=st.binary(max_size=500), most=st.integers(1, 64))
def test_one_piece_may_be_kept_back(data: bytes, most: int) -> None:
    offset = 0
    for kept, following in pairwise(pieces(io.BytesIO(data).readinto, most)):
        assert bytes(kept) == data[offset : offset + len(kept)]
        offset += len(kept)
        assert bytes(following) == data[offset : offset + len(following)]


def test_however_much_is_to_come_a_piece_has_its_limit() -> None:
    assert next(pieces(io.BytesIO(bytes(2 * PIECE)).readinto, 10 * PIECE)).nbytes == PIECE
