"""The full-screen review, driven by keys: what is on the screen, and what is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Footer, Input
from textual.widgets._footer import FooterKey

from planner.core.content import Manifest
from planner.core.family import Because
from planner.core.namespaces import Namespace
from planner.core.plan import Access, Change, Plan
from planner.core.plan_file import plan_id
from planner.core.refs import ImageRef, parse_image
from planner.core.text import size
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from planner.stores.opening import Places, Stores
from planner.ui.review.app import Job, ReviewApp
from planner.ui.review.confirm import Confirm
from planner.ui.review.details import DetailsScreen, details_text
from planner.ui.review.dialogs import Notice
from planner.ui.review.list import PlanList
from planner.ui.review.model import PlanModel
from planner.ui.review.question import Checked, description
from planner.ui.review.run import RunScreen
from planner.ui.review.screen import ReviewScreen
from planner.ui.review.texts import cut_end, cut_start
from tests.reviewing import NARROW, WIDE, play, shown, until, words
from tests.test_review_model import (
    DNS,
    ETCD,
    HOST,
    PAUSE,
    SMALL,
    THERE,
    blob,
    change,
    image,
    plan_of,
)

IMAGES = tuple(parse_image(f"docker.io/team/{name}:1") for name in ("api", "db", "web"))


def small_app(*, read_only: bool = False, plan: Plan = SMALL) -> ReviewApp:
    return ReviewApp(Job(plan, Stores(Places()), read_only=read_only))


def model_of(pilot: Pilot[int]) -> PlanModel:
    assert isinstance(pilot.app, ReviewApp)
    return pilot.app._review._model


def row_of(pilot: Pilot[int]) -> object:
    return pilot.app.screen_stack[0].query_one(PlanList).row


async def until_left(pilot: Pilot[int]) -> None:
    """Wait for what happens behind the last key."""
    for _ in range(1000):
        if pilot.app._exit:
            return
        await pilot.pause(0.01)
    raise AssertionError(f"still there:\n{shown(pilot)}")


def layout_plan(folder: Path, target: str = HOST) -> ReviewApp:
    """An app over a plan that copies three small images from one layout into another."""
    upstream = LayoutFolder(folder / "up")
    write_samples(IMAGES, lambda registry: Layout(upstream, registry), kib=1)
    access = Access(f"oci:{folder}/up", f"oci:{folder}/down")
    changes = [copied(each, Layout(upstream, each.registry), target) for each in IMAGES]
    manifests = {each.digest: each for pair in changes for each in pair[1]}
    plan = Plan(tuple(each for each, _ in changes), manifests, {}, (), access)
    return ReviewApp(
        Job(plan, Stores(Places(read_from=access.read_from, write_to=access.write_to)))
    )


def copied(source: ImageRef, store: Layout, target: str) -> tuple[Change, list[Manifest]]:
    root = store.manifest(source.repository, source.tag)
    children = [store.manifest(source.repository, each.digest) for each in root.children]
    name = source.moved_to(target, source.repository)
    return Change("create", name, source, root.digest), [root, *children]


def held(folder: Path) -> set[str]:
    """The names in the target layout."""
    names = LayoutFolder(folder / "down")
    return {each.repository for each in IMAGES if Layout(names, HOST).head(each.repository, "1")}


@pytest.fixture
def no_clipboard(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has none: what is copied goes to the terminal."""
    for name in ("TMUX", "WAYLAND_DISPLAY", "DISPLAY", "TERM_PROGRAM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("PATH", "")


# What is on the screen


@pytest.mark.parametrize("screen", [NARROW, (100, 30), WIDE, (200, 60)])
def test_the_screen_says_what_will_happen(screen: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        text = shown(pilot)
        for each in (
            f"plan {plan_id(SMALL)[7:19]}",
            f"to {HOST}",
            "3 of 3 selected",
            f"{size(SMALL.bytes_to_send(SMALL.pending))} to send",
            "!1 blocked  ~1 move  r1 repair  +1 create",
            "! blocked  coredns:1",
            "[x]   ~ move     etcd:3.5",
            "space select",
            "? help",
            "q quit",
        ):
            assert each in text
        assert "there:1" not in text

    play(small_app(), steps, screen)


@pytest.mark.parametrize(
    ("screen", "beside"), [(NARROW, False), ((99, 30), False), ((100, 30), True)]
)
def test_details_stand_beside_the_list_where_there_is_room(
    screen: tuple[int, int], beside: bool
) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        assert ("─ Details ─" in shown(pilot)) is beside

    play(small_app(), steps, screen)


def test_no_line_is_wider_than_the_screen_and_none_is_lost() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        for width in (60, 61, 79, 80, 99, 100, 131):
            await pilot.resize_terminal(width, 30)
            await pilot.pause()
            lines = shown(pilot).splitlines()
            assert (len(lines), max(map(len, lines))) == (30, width)

    play(small_app(), steps)


def test_details_tell_everything_about_a_change() -> None:
    because = (
        Because("clusters/prod.yaml", 6, 15, "prod: version 1.33"),
        Because("", 0, 0, "lab: listed"),
    )
    base = SMALL.changes[ETCD]
    full = Change(
        "move",
        base.target,
        base.source,
        base.digest,
        base.current,
        "",
        because,
        ("linux/amd64",),
        "chart",
    )

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G")
        text = shown(pilot)
        for each in (
            f"now        {base.current[:19]}",
            f"new        {base.digest[:19]}",
            "from       registry.k8s.io/etcd:3.5",
            "kind       chart",
            "platforms  linux/amd64",
            "size       5.2 KiB, 5.2 KiB to send",
            "layers     3 with configs, 3 to send",
            "clusters/prod.yaml:6:15",
            "  prod: version 1.33",
            "lab: listed",
        ):
            assert each in text

    play(small_app(plan=plan_of([full], *SMALL.manifests.values())), steps)


def test_texts_from_files_and_registries_are_shown_as_they_are() -> None:
    reason = "denied [red]x[/red] [link=file:///]\x1b]52;c;!\x07 \u202e [/]"
    hostile = change("blocked", "fd00[b]/a/[red]x[/red]:1", image(blob("config", 2)), reason=reason)
    because = (Because("[bold]spec[/bold].yaml", 1, 1, "[blink]edge[/blink]"),)
    broken = Change("blocked", hostile.target, hostile.source, "", "", reason, because)

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G")
        text = shown(pilot)
        for each in (
            "[red]x[/red]:1",
            "[red]x[/red]",
            "\\x1b]52;c;!\\x07",
            "\\u202e",
            "[bold]spec[/bold].yaml:1:1",
        ):
            assert each in text
        assert "[blink]edge[/blink]" in text
        await pilot.press("space")
        await until(pilot, "blocked: denied [red]x[/red]")

    play(small_app(plan=plan_of([broken])), steps, (140, 40))


def test_too_small_a_terminal_is_told_about_the_plain_command() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        assert "planner show PLAN" in shown(pilot)
        await pilot.press("space", "a", "j")
        assert len(model_of(pilot).selection) == 3
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "3 of 3 selected" in shown(pilot)

    play(small_app(), steps, (59, 15))


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        pytest.param(plan_of(()), "the specs name no image", id="empty"),
        pytest.param(plan_of([SMALL.changes[4]]), "1 image in sync", id="in-sync"),
    ],
)
def test_a_plan_without_rows_says_why(plan: Plan, said: str) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        assert said in words(pilot)
        await pilot.press("space", "A", "enter", "j", "k", "n", "y", "h", "l", "v", "s", "G", "a")
        await pilot.pause()
        assert "The plan has nothing to do." in shown(pilot)

    assert play(small_app(plan=plan), steps).return_value is None


def test_no_color_leaves_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(pilot: Pilot[int]) -> None:
        assert "~ move     etcd:3.5" in shown(pilot)
        strips = pilot.app.screen._compositor.render_strips()
        styles = {segment.style for strip in strips for segment in strip if segment.style}
        assert not any(style.color and not style.color.is_default for style in styles)

    play(small_app(), steps)


@pytest.mark.parametrize(
    ("text", "width", "start", "end"),
    [
        pytest.param("abcdef", 6, "abcdef", "abcdef", id="fits"),
        pytest.param("abcdef", 4, "…def", "abc…", id="cut"),
        pytest.param("日本語", 4, "…語", "日 …", id="wide"),
        pytest.param("abc", 1, "…", "…", id="one"),
    ],
)
def test_cut_texts_show_that_they_are_cut(text: str, width: int, start: str, end: str) -> None:
    assert (cut_start(text, width), cut_end(text, width)) == (start, end)


# Keys


@pytest.mark.parametrize(
    ("pressed", "row"),
    [
        pytest.param(["j", "j"], DNS, id="j"),
        pytest.param(["down", "down", "up"], 3, id="arrows"),
        pytest.param(["j", "j", "k", "k", "k"], f"{HOST}/addons", id="k"),
        pytest.param(["G"], PAUSE, id="G"),
        pytest.param(["end", "g"], f"{HOST}/addons", id="g"),
        pytest.param(["pagedown"], PAUSE, id="page-down"),
        pytest.param(["ctrl+f", "ctrl+b"], f"{HOST}/addons", id="page-up"),
        pytest.param(["j", "h"], f"{HOST}/addons", id="h"),
        pytest.param(["left", "j"], f"{HOST}/k8s", id="left"),
        pytest.param(["h", "l", "j"], 3, id="l"),
        pytest.param(["n", "n"], DNS, id="n"),
        pytest.param(["n", "n", "N"], 3, id="N"),
        pytest.param(["h", "n"], 3, id="n-opens-a-group"),
        pytest.param(["enter", "j"], f"{HOST}/k8s", id="enter-folds"),
        pytest.param(["enter", "enter", "j"], 3, id="enter-unfolds"),
    ],
)
def test_keys_move_the_cursor(pressed: list[str], row: object) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press(*pressed)
        assert row_of(pilot) == row

    play(small_app(), steps)


def test_space_selects_and_the_figures_follow() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "space")
        assert "2 of 3 selected   1.9 MiB to send" in shown(pilot)
        assert "[ ]   + create   pause:3.10" in shown(pilot)
        assert f"[-] ▾ {HOST}/k8s" in shown(pilot)
        await pilot.press("space")
        assert "3 of 3 selected" in shown(pilot)

    play(small_app(), steps)


def test_a_selects_all_or_none() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("A")
        assert "0 of 3 selected   0 B to send" in shown(pilot)
        await pilot.press("A")
        assert "3 of 3 selected" in shown(pilot)

    play(small_app(), steps)


def test_what_goes_together_is_told() -> None:
    one = SMALL.manifests[SMALL.changes[PAUSE].digest]
    pinned = change("create", f"{HOST}/k8s/pause:3.10@{one.digest}", one)

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "space")
        await until(pilot, "also dropped, since they go together")

    play(small_app(plan=plan_of([SMALL.changes[PAUSE], pinned], one)), steps)


def test_a_blocked_row_says_why_it_cannot_be_selected() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("j", "space")
        await until(pilot, "blocked: Not Found")

    play(small_app(), steps)


def test_the_filter_narrows_while_it_is_typed_and_escape_clears_it() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"etcd")
        await until(pilot, "1 image of 5")
        assert "pause:3.10" not in shown(pilot)
        await pilot.press("enter", "j", "space")
        assert "2 of 3 selected" in shown(pilot)
        await pilot.press("escape")
        assert "pause:3.10" in shown(pilot)
        assert not pilot.app.screen.query_one("#filter").display

    play(small_app(), steps)


def test_a_wrong_filter_is_explained_and_nothing_is_lost() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("slash")
        # At once: what it begins with is a filter.
        pilot.app.screen.query_one("#terms", Input).value = "op:x"
        await until(pilot, "op:x is none of")
        assert "pause:3.10" in shown(pilot)
        await pilot.press("enter")
        assert pilot.app.screen.query_one("#terms", Input).value == "op:x"

    play(small_app(), steps)


def test_a_filter_without_result_says_how_to_clear_it() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"zzz", "enter")
        assert "No image passes the filter; Esc" in shown(pilot)

    play(small_app(), steps)


def test_letters_in_the_filter_are_letters() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"aqsvfnNyA?")
        assert pilot.app.screen.query_one("#terms", Input).value == "aqsvfnNyA?"
        assert isinstance(pilot.app.screen, ReviewScreen)

    play(small_app(), steps)


@pytest.mark.parametrize(
    ("key", "titles"),
    [
        pytest.param(
            "v", ["by source", "by cluster", "by action", "sorted", "by repository"], id="group"
        ),
        pytest.param("s", ["sorted by name", "sorted by size", "sorted by danger"], id="sort"),
    ],
)
def test_keys_arrange_the_list(key: str, titles: list[str]) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G")
        for title in titles:
            await pilot.press(key)
            assert title in str(pilot.app.screen.query_one(PlanList).border_title)
            assert row_of(pilot) == PAUSE

    play(small_app(), steps)


def test_f_shows_and_hides_what_is_in_sync() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("f")
        assert "= in sync  there:1" in shown(pilot)
        await pilot.press("f")
        assert "there:1" not in shown(pilot)

    play(small_app(), steps)


@pytest.mark.usefixtures("no_clipboard")
def test_y_offers_the_target_reference_first() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "y", "enter")
        await until(pilot, "Sent to the terminal's clipboard")
        assert pilot.app.clipboard == f"{HOST}/k8s/pause:3.10"

    play(small_app(), steps)


def test_plus_and_underscore_change_the_room_for_details() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        details = pilot.app.screen.query_one("#details")
        widths = []
        for key in ("underscore", "underscore", "plus", "plus", "plus", "plus", "escape"):
            await pilot.press(key)
            await pilot.pause()
            widths.append(details.region.width)
        assert widths == [0, 0, 43, 72, 120, 120, 43]

    play(small_app(), steps)


def test_digits_go_to_the_panes() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        for key, focused in (("2", "details"), ("1", "list"), ("3", "terms")):
            await pilot.press(key)
            assert pilot.app.focused is not None
            assert pilot.app.focused.id == focused

    play(small_app(), steps)


@pytest.mark.parametrize("screen", [NARROW, WIDE, (200, 60)])
@pytest.mark.parametrize("keys", [[], ["d"], ["w"], ["p"]])
def test_the_footer_has_few_keys_and_fits(keys: list[str], screen: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", *keys)
        await pilot.pause()
        footer = pilot.app.screen.query_one(Footer)
        keys_shown = footer.query(FooterKey)
        assert 1 < len(keys_shown) <= 8
        assert max(each.region.right for each in keys_shown) <= screen[0]

    play(small_app(), steps, screen)


def test_enter_goes_to_the_details_and_escape_back() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "enter")
        assert pilot.app.screen.query_one("#details").has_focus
        await pilot.press("j", "escape", "space")
        assert "2 of 3 selected" in shown(pilot)

    play(small_app(), steps)


@pytest.mark.usefixtures("no_clipboard")
@pytest.mark.parametrize("key", ["enter", "plus", "2"])
def test_details_are_a_screen_of_their_own_where_there_is_no_room(key: str) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", key)
        assert isinstance(pilot.app.screen, DetailsScreen)
        await pilot.pause()
        assert "from       registry.k8s.io/pause:3.10" in shown(pilot)
        await pilot.press("y", "enter")
        await until(pilot, "Sent to the terminal's clipboard")
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, ReviewScreen)
        assert pilot.app.clipboard == f"{HOST}/k8s/pause:3.10"

    play(small_app(), steps, NARROW)


def test_the_palette_runs_what_keys_run() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+p")
        await pilot.press(*"all or none")
        await pilot.pause(0.3)
        await pilot.press("enter", "enter")
        await until(pilot, "0 of 3 selected")

    play(small_app(), steps)


def test_every_binding_has_an_id_of_its_own() -> None:
    classes = (ReviewApp, ReviewScreen, PlanList, DetailsScreen, Confirm, Notice, RunScreen)
    bindings = [each for owner in classes for each in owner.BINDINGS]
    ids = [getattr(each, "id", None) for each in bindings]
    assert all(ids)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
def test_leaving_without_an_apply_is_no_failure(key: str) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press(key)

    assert play(small_app(), steps).return_value == 0


def test_the_mouse_selects_rows_and_toggles_boxes() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.click(PlanList, offset=(30, 5))  # a line of border, then the fifth row
        assert row_of(pilot) == ETCD
        assert "3 of 3 selected" in shown(pilot)
        await pilot.click(PlanList, offset=(3, 6))
        assert row_of(pilot) == PAUSE
        assert "2 of 3 selected" in shown(pilot)
        await pilot.click(PlanList, offset=(6, 4))
        assert f"▸ {HOST}/k8s" in shown(pilot)

    play(small_app(), steps)


def test_the_list_scrolls_with_the_cursor() -> None:
    names = [
        change("create", f"{HOST}/a/b{number:03}:1", image(blob("config", 2)))
        for number in range(200)
    ]

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G")
        assert "b199:1" in shown(pilot)
        await pilot.press("g")
        assert "b000:1" in shown(pilot)
        assert "b199:1" not in shown(pilot)

    play(small_app(plan=plan_of(names, image(blob("config", 2)))), steps)


# Apply


def test_a_read_only_review_explains_instead_of_applying() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        assert "READ-ONLY" in shown(pilot)
        await pilot.press("a")
        await pilot.pause()
        assert "only looks" in shown(pilot)

    play(small_app(read_only=True), steps)


def test_nothing_selected_is_nothing_to_apply() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("A", "a")
        await pilot.pause()
        assert "Nothing is selected" in shown(pilot)

    play(small_app(), steps)


def test_a_typed_yes_fills_the_target(tmp_path: Path) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await until(pilot, "unchanged.")
        assert f"Copy 3 images on {HOST} at oci:" in words(pilot)
        await pilot.press(*"yes", "enter")
        await until(pilot, "3 images done")
        await pilot.press("q")

    app = play(layout_plan(tmp_path), steps, NARROW)
    assert (app.return_value, held(tmp_path)) == (0, {"team/api", "team/db", "team/web"})


def test_only_what_is_selected_is_applied(tmp_path: Path) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("j", "space", "a")
        await until(pilot, "Copy 2 images")
        await pilot.press(*"yes", "enter")
        await until(pilot, "2 images done")
        await pilot.press("q")

    app = play(layout_plan(tmp_path), steps)
    assert (app.return_value, held(tmp_path)) == (0, {"team/db", "team/web"})


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(["enter"] * 8, id="held-enter"),
        pytest.param([*"ye", "enter", "enter"], id="half-a-word"),
        pytest.param([*"YES", "enter"], id="another-word"),
        pytest.param(["space", "y", "enter"], id="one-letter"),
        pytest.param(["tab", "enter", "space", "enter"], id="no-button-to-reach"),
    ],
)
def test_nothing_but_the_word_passes(tmp_path: Path, keys: list[str]) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await until(pilot, "to apply:")
        await pilot.press(*keys)
        await pilot.pause()
        assert isinstance(pilot.app.screen, Confirm)

    play(layout_plan(tmp_path), steps)
    assert not (tmp_path / "down").exists()


def test_enter_held_since_before_the_question_does_not_pass(tmp_path: Path) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a", *["enter"] * 4)
        await until(pilot, "to apply:")
        await pilot.press(*["enter"] * 4)
        assert isinstance(pilot.app.screen, Confirm)

    play(layout_plan(tmp_path), steps)
    assert not (tmp_path / "down").exists()


def test_escape_writes_nothing_and_returns_to_the_review(tmp_path: Path) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await until(pilot, "to apply:")
        await pilot.press(*"yes", "escape")
        assert isinstance(pilot.app.screen, ReviewScreen)

    play(layout_plan(tmp_path), steps)
    assert not (tmp_path / "down").exists()


@pytest.mark.parametrize("index", [ETCD, DNS])
def test_where_something_will_be_another_the_registry_has_to_be_typed(index: int) -> None:
    question = Confirm(SMALL, Checked((SMALL.changes[PAUSE], SMALL.changes[index]), 3), HOST)
    answers: list[Checked | None] = []

    async def steps(pilot: Pilot[int]) -> None:
        pilot.app.push_screen(question, answers.append)
        await pilot.pause()
        assert f"Type  {HOST}  to apply:" in shown(pilot)
        await pilot.press(*"yes", "enter")
        assert "not 'registry.corp:5000'" in shown(pilot)
        pilot.app.screen.query_one(Input).value = HOST
        await pilot.press("enter")

    play(small_app(), steps)
    assert [each.chosen for each in answers if each] == [3]


def test_the_question_names_the_tags_that_will_point_elsewhere() -> None:
    question = Confirm(SMALL, Checked(SMALL.pending, 4), HOST)
    moved = SMALL.changes[ETCD]

    async def steps(pilot: Pilot[int]) -> None:
        pilot.app.push_screen(question)
        await pilot.pause()
        for each in (
            f"Copy 1 image, move 1 tag, repair 1 image on {HOST}",
            "1.9 MiB to send. Nothing is deleted.",
            "k8s/etcd:3.5",
            f"{moved.current[:19]} → {moved.digest[:19]}",
            "Images whose content will be put back:",
            "1 image of 4 there already",
        ):
            assert each in shown(pilot)

    play(small_app(), steps)


def test_the_question_names_what_is_created_for_what_is_selected() -> None:
    """Namespaces are no rows: they come with what lies in them, and not otherwise."""
    new = (("k8s", ("k8s/pause", "k8s/etcd")), ("addons", ("addons/dns",)))
    plan = replace(
        SMALL,
        namespaces=tuple(
            Namespace(HOST, name, "project", "create", repositories=each) for name, each in new
        ),
    )
    lines = list(description(plan, Checked((plan.changes[PAUSE],), 1), HOST))
    assert lines[2:4] == ["\nWhat will be created first:", f"  project {HOST}/k8s"]
    assert f"project {HOST}/addons" not in "".join(lines)
    model = PlanModel(plan)
    for row, names in ((PAUSE, "k8s"), (f"{HOST}/k8s", "k8s"), (f"{HOST}/addons", "addons")):
        said = details_text(model, row, 80).plain
        assert f"into       project {names}, which is created first" in said
    assert "created first" not in details_text(model, THERE, 80).plain


def test_a_stale_plan_is_refused_before_the_question(tmp_path: Path) -> None:
    app = layout_plan(tmp_path)
    store = Layout(LayoutFolder(tmp_path / "down"), HOST)
    other = image(blob("config", 2))
    store.write_manifest("team/api", "1", other)

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await until(pilot, "the plan is stale: 1 tag changed")
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, ReviewScreen)

    assert play(app, steps).return_value is None


def test_what_is_there_already_is_not_asked_about(tmp_path: Path) -> None:
    app = layout_plan(tmp_path)
    down = LayoutFolder(tmp_path / "down")
    write_samples(IMAGES, lambda _: Layout(down, HOST), kib=1)

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await until(pilot, "All of it is there already.")

    play(app, steps)


def test_what_failed_is_listed_and_is_the_exit_code(tmp_path: Path) -> None:
    app = layout_plan(tmp_path)
    for path in (tmp_path / "up" / "blobs" / "sha256").iterdir():
        path.unlink()

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await until(pilot, "to apply:")
        await pilot.press(*"yes", "enter")
        await until(pilot, "Nothing is left but what failed")
        await until(pilot, f"{HOST}/team/api:1")
        assert "Failed (3)" in shown(pilot)
        await pilot.press("q")
        await until_left(pilot)

    assert play(app, steps).return_value == 1


def test_blocked_images_are_a_failure_once_applied(tmp_path: Path) -> None:
    app = layout_plan(tmp_path)
    blocked = change("blocked", "quay.io/x:1", image(blob("config", 2)), reason="no mirror")
    plan = app._job.plan
    more = Plan((*plan.changes, blocked), plan.manifests, {}, (), plan.access)

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await until(pilot, "to apply:")
        await pilot.press(*"yes", "enter")
        await until(pilot, "3 images done")
        await pilot.press("q")

    assert play(ReviewApp(Job(more, app._job.stores)), steps).return_value == 1
