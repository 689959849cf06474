"""What every full-screen program of planner does: its look, help, and giving the terminal back, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual.app import App, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.driver import Driver
from textual.screen import Screen

from planner.config import ReviewSettings
from planner.core.errors import DONE, INTERRUPTED
from planner.ui.glyphs import wants_ascii
from planner.ui.review.ascii_only import AsciiOnly
from planner.ui.review.export import save_picture
from planner.ui.review.help import Help, help_for
from planner.ui.review.palette import Commands, Entry

_GLANCE = 1.0  # seconds
_THEME = "ansi-dark"  # the terminal's own sixteen colours, on its own background


class Frame(App[int], inherit_bindings=False):
    """A program that has the screen; its result is the exit code."""

    CSS_PATH = "review.tcss"
    TITLE = "planner review"
    COMMANDS: ClassVar = {Commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q,ctrl+c", "quit", "quit", show=False, id="app.quit"),
        Binding("ctrl+p", "command_palette", "commands", show=False, id="app.palette"),
        Binding("ctrl+z", "suspend_process", "to the shell", show=False, id="app.suspend"),
        # Also above dialogs, where the app's other keys do not reach; what is typed into a field stays there.
        Binding("question_mark,f1", "help", "help", key_display="?", priority=True, id="app.help"),
    ]

    def __init__(self, settings: ReviewSettings) -> None:
        # Without colours the theme must be drawn as it is, since textual decides before it knows the theme.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.animation_level = "none"  # nothing here moves, wherever the terminal is
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
        self._settings = settings

    @property
    def broke(self) -> BaseException | None:
        """What no one expected; None when all went well."""
        return self._exception

    def get_driver_class(self) -> type[Driver]:
        """What draws and reads keys."""
        found = super().get_driver_class()
        if found.__name__ != "LinuxDriver":
            return found
        from planner.ui.review.terminal import Terminal  # noqa: PLC0415 - not for all systems

        return Terminal

    def on_mount(self) -> None:
        """Take the keys of planner.yaml, and give the terminal back also when the process is told to end."""
        self.set_keymap(self._settings.keymap)
        if wants_ascii() and not self.is_web:
            self._filters.append(AsciiOnly())
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
                with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                    asyncio.get_running_loop().add_signal_handler(number, self.terminated)
        if not (self.is_headless or self.is_web) and hasattr(select, "poll"):
            self.set_interval(_GLANCE, self._look_for_terminal)

    def look(self, *more: str) -> None:
        """Take the theme that is wanted: by the environment, by planner.yaml, or by ``more``."""
        wanted = (os.environ.get("TEXTUAL_THEME", ""), self._settings.theme, *more)
        self.theme = next((each for each in wanted if each in self.available_themes), _THEME)

    def terminated(self) -> None:
        """Somebody ends the process, or its terminal is gone."""
        self.exit(INTERRUPTED)

    def _look_for_terminal(self) -> None:
        """Not everybody is told by a signal that it is gone, and reading a key from it returns at once, for ever."""
        poll = select.poll()
        poll.register(sys.__stdin__ or 0, 0)
        if any(what & select.POLLHUP for _, what in poll.poll(0)):
            self.terminated()

    def leave_at_once(self) -> None:
        """Without waiting for anything but the terminal."""
        with contextlib.suppress(SuspendNotSupported), self.suspend():
            os._exit(INTERRUPTED)
        os._exit(INTERRUPTED)

    def entries(self, screen: Screen[object]) -> Iterator[Entry]:
        """What the palette offers besides what has a key."""
        del screen
        yield Entry("save the screen as a picture", "SVG", partial(save_picture, self))
        yield Entry("other colours", "the theme", self.action_change_theme)

    def action_help(self) -> None:
        """The keys that count now; once more, and they are gone."""
        if isinstance(self.screen, Help):
            self.screen.dismiss()
        elif not isinstance(self.screen, CommandPalette):
            self.push_screen(help_for(self.screen))

    async def action_quit(self) -> None:
        """Leave without having written."""
        self.exit(DONE)

    def _fatal_error(self) -> None:
        """Leave; Textual would print a traceback with all local variables, and so maybe secrets."""
        self._close_messages_no_wait()
