"""What carrying out a plan costs, and what moved since the last apply, in words."""

from __future__ import annotations

from planner.core.cost import Pace, cost_of
from planner.core.plan import Change, Drift, Plan
from planner.core.text import plural, size

DRIFTS: dict[Drift, str] = {
    "source": "the source moved since the last apply",
    "target": "the target moved since the last apply",
    "both": "source and target moved since the last apply",
}
_EXACT = 100  # up to here, numbers of requests are told as they are
_MINUTE, _HOUR = 60, 3600


def transfer_line(plan: Plan, pace: Pace | None = None) -> str:
    """What crosses, and how long that may take, as far as earlier runs tell.

    ``Transfer: 4.5 GiB of 6.1 GiB after sharing (61 mounts), about 1,200 requests; about 9 min at 8.5 MiB/s (last run).``
    """
    cost = cost_of(plan, plan.pending)
    mounts = f" ({plural(cost.mounts, 'mount')})" if cost.mounts else ""
    requests = f", about {_rounded(cost.requests)} requests" if cost.requests else ""
    total = size(plan.total_bytes(plan.pending))
    time = f"; {_time(cost.bytes, pace)}" if pace and cost.bytes else ""
    return f"Transfer: {size(cost.bytes)} of {total} after sharing{mounts}{requests}{time}."


def drift_note(plan: Plan) -> str:
    """What the plan has seen of changes behind its back; empty when there are none."""
    drifted = [each for each in plan.changes if each.drift]
    own = [each for each in drifted if each.is_pending]
    others = [each for each in drifted if not each.is_pending]
    lines = [_own(own)] if own else []
    since = "Other drift:" if own else "since the last apply,"
    lines += [f"{since} {_other(others)}."] if others else []
    return f"Note: {f'{chr(10)}      '.join(lines)}" if lines else ""


def drift_mark(change: Change) -> str:
    """What stands behind the symbol of a change."""
    return "*" if change.drift else " "


def _own(changes: list[Change]) -> str:
    sides = [
        f"{plural(count, 'tag')} changed {where}"
        for side, where in (("target", "on the target"), ("source", "at the source"))
        if (count := sum(each.drift in (side, "both") for each in changes))
    ]
    verb = "is" if len(changes) == 1 else "are"
    joined = ", ".join(sides)
    also = " and" if len(sides) == 1 else ", and"
    return f"{joined} since the last apply{also} {verb} part of this plan (marked *)."


def _other(changes: list[Change]) -> str:
    blocked = sum(each.op == "blocked" for each in changes)
    same = len(changes) - blocked
    found = [f"{plural(same, 'tag')} moved and {_be(same)} in sync again"] if same else []
    found += [f"{plural(blocked, 'tag')} moved and {_be(blocked)} blocked"] if blocked else []
    return ", ".join(found)


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _time(count: int, pace: Pace) -> str:
    runs = "last run" if pace.runs == 1 else f"last {pace.runs} runs"
    return f"about {_duration(pace.seconds_for(count))} at {size(int(pace.rate))}/s ({runs})"


def _duration(seconds: float) -> str:
    """As exact as a guess can be: ``40 s``, ``9 min``, ``2 h 10 min``."""
    if seconds < _MINUTE - 2.5:
        return f"{max(5, round(seconds / 5) * 5)} s"
    minutes = round(seconds / _MINUTE)
    if minutes < 60:
        return f"{max(1, minutes)} min"
    minutes = round(minutes / 10) * 10
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def _rounded(count: int) -> str:
    """Two digits that count."""
    if count <= _EXACT:
        return f"{count:,}"
    unit: int = 10 ** (len(str(count)) - 2)
    return f"{round(count / unit) * unit:,}"
