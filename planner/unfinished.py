"""The plan that is being carried out, kept until all of it is done: what ``apply --resume`` goes on with."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from planner.core.errors import InputError, UsageError
from planner.core.plan import Change, Plan
from planner.core.plan_file import to_json
from planner.files import write_whole
from planner.own_folder import make_folder

_FILE = "unfinished.json"


def keep(folder: Path, plan: Plan, changes: Sequence[Change]) -> None:
    """Keep the chosen part of a plan; where nothing can be written, a run can still be planned again."""
    chosen = replace(plan, changes=tuple(changes)).trimmed()
    with contextlib.suppress(OSError, InputError):
        make_folder(folder)
        write_whole(str(folder / _FILE), to_json(chosen))


def forget(folder: Path) -> None:
    """All of it is done."""
    with contextlib.suppress(OSError):
        (folder / _FILE).unlink(missing_ok=True)


def unfinished(folder: Path) -> str:
    """The file of the plan to go on with.

    Raises:
        UsageError: there is none.
    """
    file = folder / _FILE
    if not file.is_file():
        raise UsageError(
            "there is nothing to resume: the last run that was started here was finished",
            "planner apply plans anew; what is there already is not sent again",
        )
    return str(file)
