"""The files of a git revision, in a folder of their own for as long as they are needed.

They are read from git's objects, so that no filter or hook of the repository runs, nothing in it changes, and attributes leave
nothing out.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, cast

from planner.core.errors import InputError, UsageError
from planner.git import command, environment, run_git

_LARGEST = 16 * 1024 * 1024  # a spec or list never is
_FILE_MODES = ("100644", "100755")
_LINK_MODE = "120000"


class Revision(NamedTuple):
    """A commit, and the words that named it. An empty commit: the working tree."""

    name: str
    commit: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.commit[:10]})" if self.commit else self.name


class _Entry(NamedTuple):
    """A file of a tree."""

    mode: str
    object_id: str
    path: PurePosixPath


WORKING_TREE = Revision("the working tree")


def parse_range(text: str) -> tuple[Revision, Revision]:
    """``A..B``, ``A...B`` (from where B left A), or ``A`` (to the working tree), as git writes them.

    Raises:
        UsageError: there is no such revision, or no repository.
        InputError: there is no git.
    """
    one, dots, other = text.partition("...") if "..." in text else text.partition("..")
    before = _revision(one or "HEAD")
    after = _revision(other or "HEAD") if dots else WORKING_TREE
    if dots == "...":
        base = _git("merge-base", before.commit, after.commit)
        if not base:
            raise UsageError(f"{one} and {other} have no common commit", f"compare {one}..{other}")
        before = Revision(f"where {after.name} left {before.name}", base.decode().strip())
    return before, after


@contextlib.contextmanager
def checked_out(revision: Revision) -> Iterator[Path]:
    """Work among the files of a revision, at the place that the working directory has in the repository: its root."""
    if not revision.commit:
        yield Path((_git("rev-parse", "--show-toplevel") or b".").decode().rstrip("\n"))
        return
    prefix = (_git("rev-parse", "--show-prefix") or b"").decode().rstrip("\n")
    with tempfile.TemporaryDirectory(prefix="planner-") as folder:
        root = Path(folder)
        _write(revision.commit, root)
        (root / ".git").mkdir(exist_ok=True)  # no planner.yaml above it counts
        here = root / prefix
        here.mkdir(parents=True, exist_ok=True)
        with contextlib.chdir(here):
            yield root


def within_repository(path: str, root: Path | None = None) -> str:
    """An absolute path below the repository's root (None: of the working tree), as seen from here; any other as it is."""
    if not os.path.isabs(path):  # noqa: PTH117 - a path as it was given
        return path
    top = root or Path((_git("rev-parse", "--show-toplevel") or b"/").decode().rstrip("\n"))
    real = os.path.realpath(path)
    is_inside = Path(real).is_relative_to(os.path.realpath(top))
    return os.path.relpath(real, os.path.realpath(".")) if is_inside else path


def _revision(name: str) -> Revision:
    if _git("rev-parse", "--git-dir") is None:
        raise UsageError("--rev compares revisions of git, and this is no work tree", "cd into one")
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if not found:
        raise UsageError(
            f"there is no revision {name!r} in this repository",
            f"git log {name} says the same; a shallow clone lacks branches: git fetch origin {name}",
        )
    return Revision(name, found.decode().strip())


def _git(*words: str) -> bytes | None:
    """What git prints; None when it fails.

    Raises:
        InputError: there is no git.
    """
    try:
        done = run_git(".", *words)
    except OSError as error:
        raise InputError("--rev needs git, which is not there", "install it") from error
    return done.stdout if done.returncode == 0 else None


def _write(commit: str, root: Path) -> None:
    """Write the files first, then the links: nothing is ever written through one."""
    entries = list(_entries(commit))
    batch = command(".", "cat-file", "--batch")
    with subprocess.Popen(
        batch, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as git:
        to, back = cast("IO[bytes]", git.stdin), cast("IO[bytes]", git.stdout)
        contents = [(each, _content(each, to, back)) for each in entries if each.mode == _LINK_MODE]
        for each in entries:
            if each.mode in _FILE_MODES:
                path = root / each.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_content(each, to, back))
        to.close()
    for each, target in contents:
        _link(root, each.path, os.fsdecode(target))
    top = os.path.realpath(root)
    for each, _ in contents:  # through other links, one that looks harmless may lead out
        if not Path(os.path.realpath(root / each.path)).is_relative_to(top):
            (root / each.path).unlink(missing_ok=True)


def _entries(commit: str) -> Iterator[_Entry]:
    """The files of a commit that may be ours."""
    listed = _git("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    if listed is None:
        raise InputError(f"git cannot list the files of {commit[:10]}", "git fsck tells why")
    for line in filter(None, listed.split(b"\0")):
        facts, _, name = line.partition(b"\t")
        mode, _, object_id, size = facts.decode().split()
        path = PurePosixPath(os.fsdecode(name))
        is_safe = not path.is_absolute() and not {"..", ".git"} & set(path.parts)
        if is_safe and size.isdecimal() and int(size) <= _LARGEST:
            yield _Entry(mode, object_id, path)


def _content(entry: _Entry, to: IO[bytes], back: IO[bytes]) -> bytes:
    """Ask ``git cat-file --batch`` for one object.

    Source: git-scm.com/docs/git-cat-file, "BATCH OUTPUT": ``<oid> SP <type> SP <size> LF <contents> LF``.
    """
    to.write(f"{entry.object_id}\n".encode())
    to.flush()
    size = back.readline().split()[-1]
    if not size.isdigit():
        raise InputError(f"git has no content for {entry.path}", "git fsck tells why")
    return back.read(int(size) + 1)[:-1]


def _link(root: Path, path: PurePosixPath, target: str) -> None:
    """A link that stays within the folder; others lead nowhere that a revision knows."""
    end = os.path.normpath(path.parent / target)
    if os.path.isabs(target) or end.startswith(".."):  # noqa: PTH117 - a text, not a path
        return
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
