"""Answers to a GET of some bytes or of all."""

import re

from .messages import Reply, make_reply


def slice_reply(data: bytes, asked: str) -> Reply:
    """Return the answer to a GET with a ``Range``; ``""`` asks for all."""
    headers = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    if not asked:
        return make_reply(200, data, headers)
    bounds = _bounds(asked, len(data))
    if bounds is None:
        return make_reply(416, headers={"Content-Range": f"bytes */{len(data)}"})
    first, end = bounds
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
    return make_reply(206, data[first:end], headers)


def _bounds(asked: str, size: int) -> tuple[int, int] | None:
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
    if not found or not any(found.groups()):
        return None
    if not found[1]:
        first, end = max(0, size - int(found[2])), size
    else:
        first, end = int(found[1]), min(int(found[2] or size) + 1, size)
    return (first, end) if first < end else None
