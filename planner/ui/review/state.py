"""How the review looked when it was left: kept for the next one. Losing it costs nothing, so nothing here ever fails."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import NamedTuple

from planner.core.errors import InputError
from planner.files import write_whole

_MOST = 64 * 1024


class State(NamedTuple):
    """Empty words and None: as by default. ``details`` is how much room they have, as the main screen counts it."""

    theme: str = ""
    grouping: str = ""
    sorting: str = ""
    details: int | None = None


def state_file() -> Path | None:
    """Where it is; None where there is no home.

    Source: XDG Base Directory Specification 0.8: a path that is not absolute is ignored.
    """
    folder = os.environ.get("XDG_STATE_HOME", "")
    if not Path(folder).is_absolute():
        try:
            folder = str(Path.home() / ".local" / "state")
        except RuntimeError:
            return None
    return Path(folder, "planner", "review.json")


def load_state() -> State:
    """What was kept; what is damaged counts as absent."""
    file = state_file()
    try:
        data = file.read_bytes()[:_MOST] if file else b""
        kept = json.loads(data)
    except (OSError, ValueError, RecursionError):
        return State()
    if not isinstance(kept, dict):
        return State()
    words = {name: kept.get(name) for name in ("theme", "grouping", "sorting")}
    details = kept.get("details")
    return State(
        **{name: word for name, word in words.items() if isinstance(word, str)},
        details=details if type(details) is int else None,
    )


def save_state(state: State) -> None:
    """Keep it, whole or not at all."""
    file = state_file()
    if file is None:
        return
    with contextlib.suppress(OSError, InputError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(str(file), f"{json.dumps(state._asdict())}\n".encode())
