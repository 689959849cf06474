"""What can be taken out of a review: the chosen part as a plan or as a command, and the screen as a picture."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

from textual.app import App

from planner.core.errors import InputError
from planner.core.plan_file import plan_id, save
from planner.core.text import plural
from planner.files import write_whole
from planner.ui.review.clipboard import copy
from planner.ui.review.command_line import command_for
from planner.ui.review.dialogs import Notice
from planner.ui.review.model import PlanModel
from planner.ui.selecting import part_of


def save_selection(app: App[int], model: PlanModel) -> None:
    """Write what is chosen as a plan of its own; its name is that of its content."""
    if not model.selection:
        app.notify("nothing is selected", markup=False)
        return
    plan = part_of(model.plan, model.selection.changes)
    file = f"plan-{plan_id(plan)[7:19]}.json"
    _hand_over(
        app,
        file,
        save(plan).data.decode(),
        f"{plural(len(plan.pending), 'change')}: planner apply {file}",
    )


def copy_command(app: App[int], model: PlanModel, plan_file: str) -> None:
    """Copy the command that carries out exactly what is chosen."""
    command = command_for(model.plan, model.selection.changes, plan_file)
    if command:
        copy(app, command)
        return
    text = "No command of a bearable length chooses exactly this: save the selection as a plan, and apply that."
    app.push_screen(Notice("Copy as command", text))


def save_picture(app: App[int]) -> None:
    """The screen as SVG."""
    number = next(
        each for each in itertools.count(1) if not Path(f"planner-review-{each}.svg").exists()
    )
    file = f"planner-review-{number}.svg"
    _hand_over(app, file, app.export_screenshot(title=app.title), "the screen as it is now")


def _hand_over(app: App[int], file: str, text: str, about: str) -> None:
    """Into the working directory, or, in a browser, as a download."""
    if app.is_web:
        app.deliver_text(io.StringIO(text), save_filename=file)
        app.notify(about, title=f"Sent to the browser: {file}", markup=False)
        return
    try:
        write_whole(file, text.encode())
    except InputError as error:
        app.notify(error.message, severity="error", markup=False)
        return
    app.notify(about, title=f"Saved to {file}", markup=False)
