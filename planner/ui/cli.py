"""The command ``planner``: finds the command's module, runs it, and turns errors into messages and exit codes."""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from planner import __version__
from planner.core.errors import BUG, DONE, INTERRUPTED, InputError, PlannerError, UsageError
from planner.core.text import closest, printable
from planner.ui.style import style_for

COMMANDS = {
    "lint": "find what the system would reject, ignore or misread in specs",
    "explain": "show the page of a rule",
    "rules": "list the rules, all or some",
    "images": "list every image that the specs need, and where it must be",
    "resolve": "show which URLs a node asks for an image, in order",
    "render": "write the node configuration that the system makes of a spec",
    "convert": "write the mirror map of a spec in another system's words",
    "inventory": "list what registries hold, on the screen or as a file",
    "plan": "compare what the specs need with what the registry holds",
    "show": "show a saved plan",
    "diff": "compare two plans, a plan with now, or the specs of two revisions",
    "review": "review a plan full-screen, choose, and apply it",
    "apply": "carry out a plan",
    "verify": "prove that the nodes will find every image",
    "doctor": "go the way to each registry step by step, and say what is wrong",
    "schema": "print the JSON Schema of a spec or format",
    "demo": "run the whole story on embedded data, offline",
}

_EPILOG = """\
exit codes:
  0 done, nothing to report       65 input cannot be read, or contradicts itself;
  1 findings, failed steps, or       output cannot be written
    verification failed           69 registry unreachable, unauthorised, exhausted
  2 changes pending (only with    70 a bug in planner
    --detailed-exitcode)          75 the saved plan is stale
 64 usage or configuration        77 not approved
                                 130 interrupted

planner COMMAND --help shows a command's options.
"""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_MAKE_ROOM = "make room where the output goes, or send it elsewhere"
_PLAIN_WORDS = (
    (r"^argument (-[^:]*): ignored explicit argument (.*)", r"\1 takes no value \2"),
    (r"^argument (-[^:]*): expected one argument", r"\1 needs a value"),
    (r"^argument (-[^:]*): invalid choice: ('.*?') \(choose from (.*)\)", r"\1: \2 is none of \3"),
    (r"^unrecognized arguments: ", "not understood: "),
    (r"^argument (-[^:]*): invalid \w+ value: (.*)", r"\1 cannot use \2"),
    (r"^argument (-[^:]*): ", r"\1: "),
    (r"^the following arguments are required: ", "missing: "),
)


class Command(Protocol):
    """What each module under ``commands`` provides."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Describe the options."""

    def run(self, options: argparse.Namespace) -> int:
        """Do it; the result is the exit code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _tolerate_narrow_encodings()
    try:
        return _run(words)
    except PlannerError as error:
        _tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (planner … | head): not our failure, but nothing more can be said.
        import signal  # noqa: PLC0415 - as below

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001 - the one place where a bug ends
        if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
            said = InputError(f"the output cannot be written: {error.strerror}", _MAKE_ROOM)
            _tell(said)
            return said.exit_code
        import traceback  # noqa: PLC0415 - 3 ms that only a bug should cost

        traceback.print_exc()
        sys.stderr.write("this is a bug in planner: please report it with the lines above\n")
        return BUG


def _tolerate_narrow_encodings() -> None:
    """A terminal or pipe that is not UTF-8 gets an escape for what it cannot show; one that is closed, silence."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Parser(argparse.ArgumentParser):
    """Usage errors are ``UsageError``, like all others."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Raise instead of exiting with argparse's own code."""
        raise UsageError(_in_plain_words(message), self._hint(message))

    def _hint(self, message: str) -> str:
        if found := re.match(r"argument (--\S+): ignored explicit argument", message):
            forms = [
                each for each in self._option_string_actions if each.startswith(f"{found[1]}=")
            ]
            return f"write {' or '.join((found[1], *forms))}"
        word = message.removeprefix("unrecognized arguments: ").partition(" ")[0].partition("=")[0]
        near = closest(word, self._option_string_actions) if word.startswith("--") else ""
        return f"did you mean {near}?" if near else f"{self.prog} --help lists the options"


def _in_plain_words(message: str) -> str:
    """What argparse complains about, for those who do not know its terms."""
    for theirs, ours in _PLAIN_WORDS:
        message = re.sub(theirs, ours, message)
    return message


class _Help(argparse.RawDescriptionHelpFormatter):
    """One is made for every option: argparse's own way to the terminal's width is too long for that."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=(style_for(sys.stdout).width or 80) - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:  # noqa: ARG002 - argparse's own
        from planner.ui.paragraphs import wrapped  # noqa: PLC0415 - for help alone

        return wrapped(text, width)


def _run(words: list[str]) -> int:
    name = words.pop(0) if words else ""
    if name not in COMMANDS:
        return _no_command(name)
    module = importlib.import_module(f"planner.ui.commands.{name}")
    command = cast("Command", module)
    parser = _Parser(
        prog=f"planner {name}",
        description=f"{COMMANDS[name][0].upper()}{COMMANDS[name][1:]}.",
        formatter_class=_Help,
        epilog=(module.__doc__ or "").partition("\n\n")[2].strip(),
    )
    command.add_arguments(parser)
    parser.usage = _usage(parser)
    code = command.run(parser.parse_args(words))
    sys.stdout.flush()
    return code


def _usage(parser: argparse.ArgumentParser) -> str:
    """One line: argparse's own lists every option once more."""
    words = [parser.prog, "[OPTIONS]"]
    for action in parser._actions:  # noqa: SLF001 - there is no public way
        if not action.option_strings:
            form = {"*": "[{} ...]", "?": "[{}]"}.get(str(action.nargs), "{}")
            words.append(form.format(action.metavar))
        elif action.required:
            words.append(f"{action.option_strings[0]} {action.metavar}")
    return " ".join(words)


def _no_command(name: str) -> int:
    if name in ("--version", "-V"):
        sys.stdout.write(f"planner {__version__}\n")
        return DONE
    if name.startswith("-") and name not in ("-h", "--help"):
        raise UsageError(
            f"{name} stands before a command", "options come after it: planner COMMAND [OPTIONS]"
        )
    if name and not name.startswith("-"):
        near = closest(name, COMMANDS)
        hint = f"did you mean planner {near}?" if near else "planner --help lists the commands"
        raise UsageError(f"there is no command {name!r}", hint)
    width = max(map(len, COMMANDS))
    lines = (f"  {command:{width}}  {text}" for command, text in COMMANDS.items())
    listed = "\n".join(lines)
    sys.stdout.write(
        "usage: planner COMMAND [OPTIONS]\n\n"
        "Lint the specs of Kubernetes clusters behind a private registry, plan what it\n"
        f"must hold, and fill it.\n\ncommands:\n{listed}\n\n{_EPILOG}"
    )
    return DONE if name else UsageError.exit_code


def _tell(error: PlannerError) -> None:
    sys.stderr.write(f"error: {printable(error.message)}\n")
    if error.hint:
        sys.stderr.write(f" hint: {printable(error.hint)}\n")
