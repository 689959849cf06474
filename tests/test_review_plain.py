"""The review in lines: the same model, the same question, no screen."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from planner.core.content import Manifest
from planner.core.plan import Access, Change, Plan
from planner.core.refs import parse_image
from planner.core.text import size
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from planner.stores.opening import Places, Stores
from planner.ui.plain_review import PlainReview
from planner.ui.review.job import Job
from tests.test_review_model import HOST, SMALL, blob, change, image, plan_of

IMAGES = tuple(parse_image(f"docker.io/team/{name}:1") for name in ("api", "db", "web"))


class Typed(io.StringIO):
    """Lines from somebody at a terminal."""

    def isatty(self) -> bool:
        return True


def job_of(plan: Plan, *, read_only: bool = False) -> Job:
    return Job(plan, Stores(Places()), read_only=read_only)


def layout_job(folder: Path, target: str = HOST) -> Job:
    """Three small images in one layout, to be copied into another."""
    upstream = LayoutFolder(folder / "up")
    write_samples(IMAGES, lambda registry: Layout(upstream, registry), kib=1)
    access = Access(f"oci:{folder}/up", f"oci:{folder}/down")
    manifests: dict[str, Manifest] = {}
    changes = []
    for source in IMAGES:
        store = Layout(upstream, source.registry)
        root = store.manifest(source.repository, source.tag)
        below = [store.manifest(source.repository, each.digest) for each in root.children]
        manifests |= {each.digest: each for each in (root, *below)}
        name = source.moved_to(target, source.repository)
        changes.append(Change("create", name, source, root.digest))
    plan = Plan(tuple(changes), manifests, {}, (), access)
    return Job(plan, Stores(Places(read_from=access.read_from, write_to=access.write_to)))


def held(folder: Path) -> set[str]:
    names = LayoutFolder(folder / "down")
    return {each.repository for each in IMAGES if Layout(names, HOST).head(each.repository, "1")}


def said(job: Job, *lines: str, terminal: bool = True) -> str:
    """What comes after the prompts for these lines, the greeting included."""
    text = "".join(f"{line}\n" for line in lines)
    told = io.StringIO()
    PlainReview(job, Typed(text) if terminal else io.StringIO(text), told).run()
    return told.getvalue()


def answers(job: Job, *lines: str) -> list[str]:
    """The same, without the greeting, one text for each line."""
    return said(job, *lines).split("review> ")[1:]


def test_the_plan_is_numbered_and_its_figures_are_told() -> None:
    text = said(job_of(SMALL))
    for each in (
        f"to {HOST}.",
        f"3 of 3 selected, {size(SMALL.bytes_to_send(SMALL.pending))} to send.",
        "1. blocked, ",
        "because Not Found",
        "2. selected, move, ",
        "4. selected, create, ",
    ):
        assert each in text
    assert "there:1" not in text.partition("In the plan")[2]
    assert text.endswith("review> \n")


def test_numbers_choose_and_never_change() -> None:
    dropped, narrowed, kept, listed = answers(
        job_of(SMALL), "drop 2 3-4", "filter etcd", "keep 2", "filter"
    )[:4]
    assert dropped.startswith("Dropped 3: 2, 3, 4.\n0 of 3 selected, 0 B to send.")
    assert narrowed.startswith("1 image of 5.\n2. dropped, move, ")
    assert kept.startswith("Selected 1: 2.")
    assert "2. selected, move" in listed
    assert "3. dropped, repair" in listed
    assert "1. blocked" in listed


def test_all_means_what_is_listed() -> None:
    _, dropped, _, everything = answers(job_of(SMALL), "filter etcd", "drop all", "filter", "list")[
        :4
    ]
    assert dropped.startswith("Dropped 1: 2.")
    assert everything.count("selected, ") == 2


def test_what_goes_together_is_told() -> None:
    one = image(blob("config", 2))
    pinned = change("create", f"{HOST}/k8s/pause:3.10@{one.digest}", one)
    plan = plan_of([change("create", f"{HOST}/k8s/pause:3.10", one), pinned], one)
    (dropped, *_) = answers(job_of(plan), "drop 1")
    assert "They go together with others: 2." in dropped


def test_what_is_in_sync_is_listed_when_asked_for() -> None:
    shown, hidden = answers(job_of(SMALL), "same", "same")[:2]
    assert "5. in sync, " in shown
    assert "in sync" not in hidden


def test_show_tells_everything_about_an_image() -> None:
    (shown, *_) = answers(job_of(SMALL), "show 2")
    for each in (
        "  from: registry.k8s.io/etcd:3.5",
        "  now: sha256:",
        "  new: sha256:",
        "  to send: ",
    ):
        assert each in shown


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("dorp 3", "there is no command 'dorp' (did you mean drop?)"),
        ("drop", "no number is given"),
        ("drop 0", "'0' is no number of the list (numbers are 1 to 5)"),
        ("drop 4-2", "'4-2' is no number"),
        ("drop 1-99999999999", "is no number"),
        ("drop x", "'x' is no number"),
        ("show 6", "'6' is no number"),
        ("filter op:x", "op:x is none of"),
        ("sort colour", "'colour' is no order (one of danger, name, size)"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_lost(line: str, mistake: str) -> None:
    wrong, status = answers(job_of(SMALL), line, "status")[:2]
    assert wrong.startswith("error: ")
    assert mistake in wrong
    assert "3 of 3 selected" in status


def test_help_names_every_command_and_the_filters() -> None:
    (told, *_) = answers(job_of(SMALL), "help")
    for each in ("list", "show", "drop", "keep", "filter", "sort", "status", "apply", "quit"):
        assert f"\n{each}" in f"\n{told}"
    assert "size:>10MiB" in told


def test_a_long_list_comes_in_parts() -> None:
    one = image(blob("config", 2))
    plan = plan_of([change("create", f"{HOST}/a/{n:03}:1", one) for n in range(120)], one)
    more, rest = answers(job_of(plan), "list more", "list more")[:2]
    assert more.startswith("51. ")
    assert more.splitlines()[-1] == "20 more: list more"
    assert rest.splitlines()[-1].startswith("120. ")


def test_what_comes_from_outside_is_shown_as_it_is() -> None:
    hostile = change(
        "blocked",
        "fd00/a/x:1",
        image(blob("config", 2)),
        reason="denied \x1b]52;c;!\x07\nreview> \u202e",
    )
    text = said(job_of(plan_of([hostile])), "show 1")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b]52;c;!\\x07 review> \\u202e" in text


def test_ascii_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_ASCII", "1")
    blocked = change("blocked", f"{HOST}/a/x:1", image(blob("config", 2)), reason="größer …")
    assert said(job_of(plan_of([blocked])), "list", "show 1", "help").isascii()


def test_a_read_only_review_explains_instead_of_applying(tmp_path: Path) -> None:
    (told, *_) = answers(job_of(SMALL, read_only=True), "apply")
    assert "this review only looks" in told
    assert "--allow-apply" in told


def test_the_word_applies_what_is_selected(tmp_path: Path) -> None:
    text = said(layout_job(tmp_path), "drop 1", "apply", "yes")
    assert "Copy 2 images on " in text
    assert "Nothing is deleted." in text
    assert held(tmp_path) == {"team/db", "team/web"}
    assert not text.endswith("review> \n")


@pytest.mark.parametrize("answer", ["", "y", "YES", "no"])
def test_nothing_else_does(tmp_path: Path, answer: str) -> None:
    asked, *_ = answers(layout_job(tmp_path), "apply", answer, "quit")
    assert "Type yes to apply" in asked
    assert "Nothing was written." in asked
    assert not held(tmp_path)


def test_what_is_there_already_is_not_asked_about(tmp_path: Path) -> None:
    job = layout_job(tmp_path)
    said(job, "apply", "yes")
    (told, *_) = answers(job, "apply")
    assert "All of it is there already." in told


def test_nobody_at_a_terminal_is_nobody_to_ask(tmp_path: Path) -> None:
    text = said(layout_job(tmp_path), "apply", "yes", terminal=False)
    assert "nobody can be asked" in text
    assert not held(tmp_path)


def test_nothing_selected_is_nothing_to_apply(tmp_path: Path) -> None:
    _, told = answers(layout_job(tmp_path), "drop all", "apply")[:2]
    assert "nothing is selected" in told
