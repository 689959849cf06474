"""Which files are looked at, and what planner.yaml says about each of them.

Below a folder, these are the YAML files that git has or would add, or, outside of a work tree, all but those of caches and
dependencies. Of them, only files that show a sign of being ours are read to their end: everything else in a repository
costs one look at its beginning.
"""

from __future__ import annotations

import codecs
import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from planner.config import FILE_NAME, KIND, TOML_NAME, Cluster, LintSettings
from planner.core.document import Spec
from planner.core.errors import InputError
from planner.files import place_of
from planner.git import run_git
from planner.specs import family_of, kind_said, may_be_ours

SUFFIXES = (".yaml", ".yml")
_HEAD = 64 * 1024
_SKIPPED_FOLDERS = frozenset(
    ".git .hg .svn .venv venv .tox .nox node_modules __pycache__ .terraform .terragrunt-cache"
    " .mypy_cache .pytest_cache .ruff_cache .direnv site-packages".split()
)


class Project:
    """What planner.yaml says about files."""

    def __init__(self, settings: LintSettings, clusters: Sequence[Cluster] = ()) -> None:
        self.settings = settings
        self._kinds = {_real(each.spec): each.kind for each in clusters if each.kind}
        self._completed = {_real(each.spec) for each in clusters if each.terraform}

    def said(self, file: str) -> str:
        """The kind of a file that planner.yaml names; empty for none."""
        if self._kinds and (kind := self._kinds.get(_real(file))):
            return kind
        if not self.settings.kinds:
            return ""
        place = place_of(file, self.settings.root)
        return next(
            (kind for glob, kind in self.settings.kinds if fnmatch.fnmatch(place, glob)), ""
        )

    def kind(self, spec: Spec) -> str:
        """The kind of a spec, by planner.yaml, by a comment in its head, or by name and content; empty for none."""
        if said := self.said(spec.file):
            return said
        if kind_said(spec.text) == KIND or _is_config(spec):
            return KIND
        if spec.problems:
            from planner.core.templated import readable  # noqa: PLC0415 - hardly a spec has any

            spec = readable(spec)
        family = family_of(spec)
        return family.name if family else ""

    def suppliers(self, file: str) -> frozenset[str]:
        """What adds to a spec before its system reads it."""
        has_terraform = self.settings.terraform or (
            bool(self._completed) and _real(file) in self._completed
        )
        return frozenset({"terraform"}) if has_terraform else frozenset()


def _is_config(spec: Spec) -> bool:
    name = os.path.basename(spec.file)  # noqa: PTH119 - asked of every file
    has_table = bool(spec.documents or spec.problems)
    return name == FILE_NAME or (name == TOML_NAME and has_table)


def files_of(
    paths: Sequence[str], project: Project, kind: str = "", *, only_ours: bool = False
) -> list[Path]:
    """The given files, and those below the given folders that show a sign of being ours; without any, of this folder.

    With ``only_ours``, given files have to show one, too. When their ``kind`` is known, none has to.

    Raises:
        InputError: there is no such file or folder.
    """
    found: dict[str, None] = {}
    for text in paths or (".",):
        if os.path.isdir(text):  # noqa: PTH112 - a path as it was given
            found.update(dict.fromkeys(_ours(_below(text), project, kind)))
        elif not os.path.lexists(text):
            raise InputError(f"{text or repr(text)}: no such file or folder", "check the path")
        elif only_ours:
            found.update(dict.fromkeys(_ours([text], project, kind)))
        else:
            found[text] = None
    return [Path(each) for each in found]


def _ours(files: Sequence[str], project: Project, kind: str) -> Iterator[str]:
    return (
        each
        for each in files
        if (kind or _shows_a_sign(each) or project.said(each)) and Path(each).is_file()
    )


def _shows_a_sign(file: str) -> bool:
    """Whether the name or the beginning of a file says that it is ours. What cannot be read says nothing but its name."""
    name = os.path.basename(file)  # noqa: PTH119 - thousands of files
    return name == FILE_NAME or may_be_ours(name, _head(file))


def _head(file: str) -> str:
    """The beginning of a regular file, a character for each byte: signs are ASCII, and nothing need be decoded."""
    try:
        # Opening a pipe would wait for somebody to write.
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return os.read(descriptor, _HEAD).removeprefix(codecs.BOM_UTF8).decode("latin-1")
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _below(folder: str) -> list[str]:
    """The YAML files below a folder, in the order of their names."""
    known = _known_to_git(folder)
    found = _walk(folder) if known is None else [f"{folder}/{each}" for each in known]
    return sorted(set(map(os.path.normpath, found)))


def _known_to_git(folder: str) -> list[str] | None:
    """Names below the folder that git has, or would add; None when git does not say, or ignores the folder itself."""
    names = _git(folder, "ls-files", "-z", "-co", "--exclude-standard", "--", "*.yaml", "*.yml")
    if names is None or (not names and _git(folder, "check-ignore", "-q", ".") is not None):
        return None
    return [os.fsdecode(each) for each in names.split(b"\0") if each]


def _git(folder: str, *words: str) -> bytes | None:
    """What git prints; None when it fails."""
    try:
        done = run_git(folder, *words)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _walk(folder: str) -> Iterator[str]:
    try:
        entries = os.scandir(folder)
    except OSError:
        return
    with entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED_FOLDERS:
                    yield from _walk(entry.path)
            elif entry.name.endswith(SUFFIXES):
                yield entry.path


def _real(file: str) -> str:
    return os.path.realpath(file)
