"""The journal of uploads: what a killed process knew, the next one knows, and nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from planner.stores.journal import Journal, Key, Session

KEY = Key("https://r.corp", "a/b", "sha256:1")
OTHER = Key("https://r.corp", "a/b", "sha256:2")
SESSION = Session("https://r.corp/v2/a/b/blobs/uploads/1?_state=signed", 40, 100)
DAY = 24 * 3600


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def abandon(journal: Journal) -> None:
    """Let go of a journal's file as a killed process does."""
    assert journal._file
    os.close(journal._file._descriptor)
    journal._file = None


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("uploads-*"))


def known(journal: Journal, key: Key = KEY) -> tuple[str, int] | None:
    found = journal.session(key)
    return (found.location, found.offset) if found else None


def test_nothing_is_written_before_there_is_something(tmp_path: Path) -> None:
    with Journal(tmp_path / ".planner") as journal:
        assert journal.session(KEY) is None
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_knew_is_known_to_the_next(tmp_path: Path) -> None:
    killed = Journal(tmp_path)
    killed.advance(KEY, SESSION._replace(offset=20))
    killed.advance(KEY, SESSION)
    killed.finish(OTHER)
    abandon(killed)
    journal = Journal(tmp_path)
    assert known(journal) == (SESSION.location, 40)
    assert (journal.is_finished(KEY), journal.is_finished(OTHER)) == (False, True)


def test_a_process_that_is_really_killed_leaves_its_journal(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from planner.stores.journal import Journal, Key, Session\n"
        f"journal = Journal(Path({str(tmp_path)!r}))\n"
        f"journal.advance(Key(*{tuple(KEY)!r}), Session(*{tuple(SESSION)!r}))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert known(Journal(tmp_path)) == (SESSION.location, 40)


def test_a_second_killing_loses_nothing(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.advance(KEY, SESSION)
    abandon(first)
    second = Journal(tmp_path)
    assert known(second)
    abandon(second)
    assert known(Journal(tmp_path)) == (SESSION.location, 40)


def test_a_session_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.advance(KEY, SESSION)
    second = Journal(tmp_path)
    assert second.session(KEY) is None
    second.advance(OTHER, SESSION)
    assert len(files(tmp_path)) == 2
    abandon(first)
    abandon(second)
    third = Journal(tmp_path)
    assert known(third, KEY) == known(third, OTHER) == (SESSION.location, 40)
    assert len(files(tmp_path)) == 1


def test_what_is_finished_or_gone_is_no_session(tmp_path: Path) -> None:
    killed = Journal(tmp_path)
    for key in (KEY, OTHER):
        killed.advance(key, SESSION)
    killed.finish(KEY)
    killed.forget(OTHER)
    assert killed.session(KEY) is killed.session(OTHER) is None
    abandon(killed)
    journal = Journal(tmp_path)
    assert journal.session(KEY) is journal.session(OTHER) is None


def test_a_journal_that_is_closed_keeps_what_is_not_done(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.advance(KEY, SESSION)
        journal.advance(KEY, SESSION)
        journal.finish(OTHER)
    (file,) = files(tmp_path)
    assert file.read_bytes().count(b"\n") == 2
    assert known(Journal(tmp_path)) == (SESSION.location, 40)


def test_a_run_that_is_complete_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.advance(KEY, SESSION)
    journal.finish(KEY)
    journal.close(is_complete=True)
    assert files(tmp_path) == []


@pytest.mark.parametrize(("age", "is_known"), [(DAY - 1, True), (DAY + 1, False)])
def test_what_is_older_than_a_day_is_forgotten(tmp_path: Path, age: int, is_known: bool) -> None:
    clock = Clock()
    killed = Journal(tmp_path, clock)
    killed.advance(KEY, SESSION)
    killed.finish(OTHER)
    abandon(killed)
    clock.now += age
    journal = Journal(tmp_path, clock)
    assert (known(journal) is not None, journal.is_finished(OTHER)) == (is_known, is_known)
    assert len(files(tmp_path)) == is_known


@settings(max_examples=40, deadline=None)
@given(cut=some.integers(0, 10_000))
def test_a_line_that_was_cut_off_costs_itself_alone(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    killed = Journal(folder)
    killed.advance(KEY, SESSION)
    killed.advance(OTHER, SESSION)
    abandon(killed)
    (file,) = files(folder)
    whole = file.read_bytes()
    second = whole.index(b"\n", 1)
    file.write_bytes(whole[: second + cut % (len(whole) - second)])
    journal = Journal(folder)
    assert (known(journal, KEY), known(journal, OTHER)) == ((SESSION.location, 40), None)


@pytest.mark.parametrize(
    "line",
    [
        "null",
        "[]",
        "{}",
        "[" * 5000,
        '{"place": 1, "repository": "a", "digest": "d"}',
        '{"place": "p", "repository": "a", "digest": "d", "finished_at": []}',
        '{"place": "p", "repository": "a", "digest": "d", "location": "x", "offset": "1", "size": 2}',
        "\xff",
    ],
)
def test_what_makes_no_sense_is_passed_over(tmp_path: Path, line: str) -> None:
    text = json.dumps({**KEY._asdict(), **SESSION._asdict(), "at": 2e10})
    (tmp_path / "uploads-1-1.jsonl").write_bytes(f"{line}\n{text}\n{line}".encode("latin-1"))
    journal = Journal(tmp_path)
    assert (known(journal), journal.note) == ((SESSION.location, 40), "")


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    """The address of a session may be as good as a password."""
    before = os.umask(0)
    try:
        with Journal(tmp_path / ".planner") as journal:
            journal.advance(KEY, SESSION)
            (file,) = files(tmp_path / ".planner")
            assert file.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    (file,) = files(tmp_path / ".planner")
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".planner" / ".gitignore").read_text("utf-8") == "*\n"


def test_a_journal_that_cannot_be_written_is_a_note(tmp_path: Path) -> None:
    (tmp_path / ".planner").write_text("a file", "utf-8")
    with Journal(tmp_path / ".planner") as journal:
        journal.advance(KEY, SESSION)
        assert known(journal) == (SESSION.location, 40)
        assert journal.note.startswith(
            "a run that is killed cannot be continued inside of a blob: "
        )
        assert SESSION.location not in journal.note
        journal.finish(KEY)
        assert journal.session(KEY) is None


def test_without_a_folder_it_is_in_memory() -> None:
    with Journal() as journal:
        journal.advance(KEY, SESSION)
        assert known(journal) == (SESSION.location, 40)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.write_text("kept", "utf-8")
    folder = tmp_path / ".planner"
    folder.mkdir()
    (folder / "uploads-1-1.jsonl").symlink_to(secret)
    assert Journal(folder).session(KEY) is None
    assert secret.read_text("utf-8") == "kept"
