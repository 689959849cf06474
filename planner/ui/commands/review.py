"""``planner review``.

Shows a plan full-screen: what would be created, moved or repaired, from where, why, and
what it costs. A saved plan is only looked at, unless --allow-apply allows more; specs are
planned first, and may be applied: after one more look at the registry, and a typed word.

--plain reviews in numbered lines, for screen readers (PLANNER_A11Y=1 always does);
--serve in a browser on this machine. `?` shows the keys, ctrl+p all that can be done.

Examples:
  planner review plan.json
  planner review plan.json --allow-apply
  planner review registries.yaml --release v1.35.0+k3s1
  planner review plan.json --serve     # pip install 'planner[web]'
  planner review events.jsonl          # a run, from what apply --events wrote
  planner review --watch events.jsonl  # a run that is going on elsewhere
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from planner.config import load_config
from planner.core.errors import DONE, UsageError
from planner.core.plan import Plan
from planner.core.plan_file import save
from planner.own_folder import folder_of
from planner.recording import Recording
from planner.stores.opening import Stores
from planner.ui.on_screen import look_at, require_terminal, review
from planner.ui.options import open_session
from planner.ui.remembering import tell
from planner.ui.replaying import Replay, Watch, is_log, read_log
from planner.ui.review.job import Job
from planner.ui.review.loading import loading
from planner.ui.saved import add_run_arguments, conclude, is_plan, limit_bandwidth, load_saved

_INSTEAD = "planner show PLAN prints a saved plan anywhere; planner review --plain asks in lines"
_LAST_PORT = 65535
_READING, _COUNTING = "Reading the plan", "Counting what images share"
_READ = 0.6  # of the time that a large plan takes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_run_arguments(parser)
    group = parser.add_argument_group("how to review")
    group.add_argument(
        "--read-only", action="store_true", help="look only (the default for a saved plan)"
    )
    group.add_argument(
        "--allow-apply", action="store_true", help="a saved plan may be applied from the review"
    )
    group.add_argument(
        "--plain", action="store_true", help="numbered lines instead of a screen, as PLANNER_A11Y=1"
    )
    group.add_argument(
        "--serve",
        action="store_true",
        help="in a browser on this machine; only looks, unless --allow-apply",
    )
    group.add_argument(
        "--port",
        type=_port,
        default=None,
        metavar="N",
        help="the port of --serve (default: a free one)",
    )
    group.add_argument(
        "--watch",
        default="",
        metavar="FILE",
        help="follow the run that another process writes down there (planner apply --events FILE)",
    )
    group.add_argument(
        "--keys", action="store_true", help="list all keys, as planner.yaml has them"
    )


def run(options: argparse.Namespace) -> int:
    """Review; 0 when nothing was applied or all of it was."""
    if options.read_only and options.allow_apply:
        raise UsageError("--read-only and --allow-apply contradict each other", "leave one out")
    if options.keys:
        return _list_keys(options)
    if options.port is not None and not options.serve:
        raise UsageError("--port is the port of --serve, which is missing", "add --serve")
    if options.serve:
        return _serve(options)
    if options.watch or is_log(options.specs):
        return _look_at_run(options)
    is_plain = options.plain or os.environ.get("PLANNER_A11Y", "") not in ("", "0")
    if not is_plain:
        require_terminal(_INSTEAD)
    return _review_in_lines(options) if is_plain else _review_full_screen(options)


def _review_in_lines(options: argparse.Namespace) -> int:
    from planner.ui.plain_review import PlainReview  # noqa: PLC0415 - one of the two is needed

    job = _job(options)
    limit_bandwidth(options, job.stores)
    progress = PlainReview(job, sys.stdin, sys.stdout).run()
    if progress is None:
        return DONE
    tell(job.recording.note if job.recording else "")
    return conclude(job.plan, progress)


def _review_full_screen(options: argparse.Namespace) -> int:
    with loading(options.specs[0] if is_plan(options.specs) else "") as show:
        job = _job(options, lambda share: show(_READING, share * _READ))
        # Only here: it is no command's business but this one's.
        from planner.ui.review.model import PlanModel  # noqa: PLC0415

        model = PlanModel(job.plan, lambda share: show(_COUNTING, _READ + share * (1 - _READ)))
    limit_bandwidth(options, job.stores)
    return review(job, model=model) or DONE


def _look_at_run(options: argparse.Namespace) -> int:
    """A run from its log, or as another process writes it."""
    if options.watch and options.specs:
        message = "--watch follows one log, and something else is named"
        raise UsageError(message, "leave one of them out")
    config = load_config(options.config)
    file = options.watch or options.specs[0]
    source = Watch(file) if options.watch else Replay(read_log(file))
    require_terminal("the log is a line of JSON for each event: jq -r .msg FILE prints it")
    from planner.ui.review.replay_app import ReplayApp  # noqa: PLC0415 - takes long to load

    return look_at(ReplayApp(source, config.review, file), config)


def _job(options: argparse.Namespace, tell: Callable[[float], None] = lambda _share: None) -> Job:
    is_saved = is_plan(options.specs)
    plan, stores = load_saved(options, tell) if is_saved else _plan(options)
    config = stores.places.config
    return Job(
        plan,
        stores,
        options.read_only or (is_saved and not options.allow_apply),
        options.parallelism,
        Recording(folder_of(config), plan),
        options.specs[0] if is_saved and not (options.target or options.exclude) else "",
        config.review,
    )


def _plan(options: argparse.Namespace) -> tuple[Plan, Stores]:
    from planner.ui.commands.plan import plan_for  # noqa: PLC0415 - a saved plan needs none of it

    session = open_session(options, tuple(options.specs))
    return plan_for(session, options).plan, session.stores


def _list_keys(options: argparse.Namespace) -> int:
    from planner.ui.review.keymap import keys_table  # noqa: PLC0415 - as above

    sys.stdout.write(keys_table(load_config(options.config).review.keymap))
    return DONE


def _serve(options: argparse.Namespace) -> int:
    """Plan once, here; each page that is opened reviews the same plan in a process of its own."""
    if options.plain:
        raise UsageError("--serve draws a screen, and --plain wants none", "leave one out")
    try:
        from planner.ui.review_server import serve  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        message = f"--serve needs textual-serve, which is not installed ({error.name} is missing)"
        raise UsageError(message, "pip install 'planner[web]'") from error
    job = _job(options)
    with ExitStack() as stack:
        file = job.plan_file
        if not file:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="planner-review-"))
            file = str(Path(folder, "plan.json"))
            Path(file).write_bytes(save(job.plan).data)
        return serve(
            (sys.executable, "-m", "planner", "review", *_carried(options), "--", file),
            options.port or 0,
        )


def _carried(options: argparse.Namespace) -> list[str]:
    """The options that count for the process behind a page."""
    words = [f"--parallelism={options.parallelism}"]
    words += [f"--config={options.config}"] if options.config else []
    words += [f"--bandwidth={options.bandwidth:.0f}B/s"] if options.bandwidth else []
    return [*words, "--allow-apply" if options.allow_apply else "--read-only"]


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be at most {_LAST_PORT}")
    return number
