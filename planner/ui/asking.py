"""The question before anything is written: only the typed word counts, read from the terminal whatever the pipes are."""

from __future__ import annotations

from pathlib import Path

from planner.core.errors import NotApprovedError
from planner.core.plan import Plan
from planner.core.text import plural, printable, size
from planner.ui.plan.figures import places_text

_TERMINAL = Path("/dev/tty")
_SHOWN = 3


def ask(plan: Plan) -> None:
    """Ask whether to carry out a plan.

    Raises:
        NotApprovedError: another answer than the word, or nobody to ask.
    """
    word = word_for(plan)
    only = 'Only "yes" is accepted' if word == "yes" else f"Type {printable(word)} to delete"
    try:
        # Opened twice: a terminal cannot be opened for reading and writing at once as text, since it cannot seek.
        with _TERMINAL.open("w") as question_to, _TERMINAL.open() as answer_from:
            question_to.write(f"\n{_question(plan)}\n{only}: ")
            question_to.flush()
            answer = answer_from.readline().strip()
    except OSError as error:
        raise NotApprovedError(
            "nobody can be asked: there is no terminal",
            "--auto-approve answers yes, to deletions as well"
            if word != "yes"
            else "save the plan (planner plan -o plan.json) and apply that, or use --auto-approve",
        ) from error
    if answer != word:
        raise NotApprovedError("not approved: nothing was written")


def word_for(plan: Plan) -> str:
    """What is to be typed: ``yes``, or the hosts of the registries that lose something."""
    hosts = {each.target.registry for each in plan.pending if each.op == "delete"}
    return " ".join(sorted(hosts)) or "yes"


def _question(plan: Plan) -> str:
    images = len(plan.pending) - plan.count("delete")
    copy = f"copy {plural(images, 'image')} ({size(plan.bytes_to_send(plan.pending))})"
    delete = f"delete {plural(plan.count('delete'), 'tag')}"
    new = plan.namespaces_for(plan.pending)
    names = [f"{each.kind} {each.name}" for each in new[:_SHOWN]]
    more = [f"{len(new) - _SHOWN:,} more"] if len(new) > _SHOWN else []
    create = printable(f"create {', '.join([*names, *more])}")
    deeds = [
        *([create] if new else []),
        *([copy] if images else []),
        *([delete] if plan.count("delete") else []),
    ]
    said = " and ".join(deeds)
    return f"{said[:1].upper()}{said[1:]} to {printable(places_text(plan))}?"
