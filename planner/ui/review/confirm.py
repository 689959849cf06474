"""The question before anything is written: what will happen, and a word to type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from planner.core.plan import Change, Plan
from planner.core.text import plural, printable, short_digest, size
from planner.ui.review.dialogs import Checked

_DANGEROUS = ("move", "repair", "delete")


class Confirm(ModalScreen[Checked | None]):
    """Its result is what was asked about, when the word was typed.

    There is no button, and Enter alone does nothing, however long it is held.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", id="confirm.cancel"),
        Binding("pageup", "scroll(-1)", "up", show=False, id="confirm.up"),
        Binding("pagedown", "scroll(1)", "down", show=False, id="confirm.down"),
    ]

    def __init__(self, plan: Plan, checked: Checked, target: str) -> None:
        super().__init__()
        self._plan = plan
        self._checked = checked
        self._target = target
        self._word = word_for(checked.changes)

    def compose(self) -> ComposeResult:
        """What will happen, and where the word goes."""
        lines = description(self._plan, self._checked, self._target)
        with Vertical(classes="dialog", id="confirm") as box:
            box.border_title = "Apply"
            with VerticalScroll(id="what", can_focus=False):
                yield Static(Text(printable("\n".join(lines))))
            yield Static(Text(f"\nType  {printable(self._word)}  to apply:"))
            yield Input(id="word")
            yield Static("[esc] cancel", markup=False, classes="keys", id="answer")

    def on_mount(self) -> None:
        """The word is what is asked for."""
        self.query_one(Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Go on with the right word alone."""
        typed = message.value.strip()
        if typed == self._word:
            self.dismiss(self._checked)
        elif typed:
            self.query_one("#answer", Static).update(f"[esc] cancel      not {self._word!r}")

    def action_cancel(self) -> None:
        """Write nothing."""
        self.dismiss(None)

    def action_scroll(self, step: int) -> None:
        """Read on in a long list."""
        what = self.query_one("#what")
        what.scroll_relative(y=step * what.size.height, animate=False)


def word_for(changes: Iterable[Change]) -> str:
    """``yes``; the hosts of the registries where something that exists will be another."""
    hosts = {change.target.registry for change in changes if change.op in _DANGEROUS}
    return " ".join(sorted(hosts)) or "yes"


def description(plan: Plan, checked: Checked, target: str) -> Iterator[str]:
    """What will happen."""
    changes = checked.changes
    count = {op: sum(change.op == op for change in changes) for op in ("create", *_DANGEROUS)}
    deeds = [
        f"copy {plural(count['create'], 'image')}" if count["create"] else "",
        f"move {plural(count['move'], 'tag')}" if count["move"] else "",
        f"repair {plural(count['repair'], 'image')}" if count["repair"] else "",
        f"delete {plural(count['delete'], 'tag')}" if count["delete"] else "",
    ]
    said = ", ".join(filter(None, deeds))
    yield f"{said[0].upper()}{said[1:]} on {target}"
    yield f"{size(plan.bytes_to_send(changes))} to send.{'' if count['delete'] else ' Nothing is deleted.'}"
    new = plan.namespaces_for(changes)
    if new:
        yield "\nWhat will be created first:"
    yield from (f"  {each.kind} {each}" for each in new)
    moved = [change for change in changes if change.op == "move"]
    if moved:
        yield "\nTags that will point elsewhere:"
    yield from (f"  {_name(each)}\n    {_digests(each)}" for each in moved)
    repaired = [change for change in changes if change.op == "repair"]
    if repaired:
        yield "\nImages whose content will be put back:"
    yield from (f"  {_name(each)}" for each in repaired)
    deleted = [change for change in changes if change.op == "delete"]
    if deleted:
        yield "\nTags that will be deleted, after all copies:"
    yield from (f"  {_name(each)}" for each in deleted)
    yield f"\nThe target was looked at just now: {_state(checked)}"


def _state(checked: Checked) -> str:
    done = checked.chosen - len(checked.changes)
    if not done:
        return "unchanged."
    return f"{plural(done, 'image')} of {checked.chosen:,} there already, the others unchanged."


def _name(change: Change) -> str:
    return str(change.target).removeprefix(f"{change.target.registry}/")


def _digests(change: Change) -> str:
    return f"{short_digest(change.current)} → {short_digest(change.digest)}"
