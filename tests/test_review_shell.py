"""What is around the review: keys, help, palette, looks, what is kept, and who may apply."""

from __future__ import annotations

import json
import string
import subprocess
import sys
from pathlib import Path

import pytest
from textual.command import CommandList, CommandPalette
from textual.dom import DOMNode
from textual.keys import Keys, _character_to_key, _normalize_key_list
from textual.pilot import Pilot
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES
from textual.widgets import Input

from planner.config import ConfigError, ReviewSettings, load_config
from planner.core.keymap import EVERYWHERE, SHARED, is_key, keys_of
from planner.core.plan import Plan
from planner.core.plan_file import from_json
from planner.core.schema import load as load_schema
from planner.stores.opening import Places, Stores
from planner.ui.glyphs import as_ascii, wants_ascii
from planner.ui.review.app import Job, ReviewApp
from planner.ui.review.dialogs import Notice
from planner.ui.review.help import Help
from planner.ui.review.keymap import all_keys, bindings_of, keys_table, owners
from planner.ui.review.model import PlanModel
from planner.ui.review.state import State, load_state, save_state, state_file
from tests.keymap import SCHEMA, schema_with_keys
from tests.reviewing import play, shown, until
from tests.test_cli import Output, Planner
from tests.test_cli import planner as planner  # noqa: PLC0414 - a fixture
from tests.test_review_model import DNS, SMALL

ROOT = Path(__file__).parents[1]


def model_of(pilot: Pilot[int]) -> PlanModel:
    assert isinstance(pilot.app, ReviewApp)
    return pilot.app._model


def app_with(
    keymap: dict[str, str] | None = None,
    theme: str = "",
    *,
    plan: Plan = SMALL,
    plan_file: str = "",
    read_only: bool = False,
) -> ReviewApp:
    settings = ReviewSettings(theme, keymap or {})
    return ReviewApp(
        Job(plan, Stores(Places()), read_only=read_only, plan_file=plan_file, settings=settings)
    )


def config(folder: Path, text: str) -> Path:
    file = folder / "planner.yaml"
    file.write_text(f"version: 1\nreview:\n{text}")
    return file


# Keys


def test_every_binding_has_an_id_of_its_own_and_says_what_it_does() -> None:
    for owner in owners():
        for each in bindings_of(owner):
            assert each.id, (owner, each)
            assert each.description, (owner, each)
        assert len(list(bindings_of(owner))) == len(owner.BINDINGS), f"{owner} has tuples"
    ids = [each.id for each in all_keys()]
    assert len(ids) == len(set(ids))


def test_the_first_part_of_an_id_says_which_screen_or_pane_it_is_of() -> None:
    """planner lint knows by it which keys can be heard at the same time, without loading the screens."""
    homes: dict[str, set[type[DOMNode]]] = {}
    for owner in owners():
        for each in bindings_of(owner):
            homes.setdefault((each.id or "").partition(".")[0], set()).add(owner)
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}
    panes = {name for name, (owner,) in homes.items() if not issubclass(owner, Screen)}
    assert panes - SHARED.keys() == {EVERYWHERE}
    assert set(SHARED) | {each for screens in SHARED.values() for each in screens} <= homes.keys()


def test_the_schema_of_planner_yaml_knows_the_keys_that_there_are() -> None:
    text = SCHEMA.read_text("utf-8")
    assert text == schema_with_keys(text), "run make examples"


def test_the_themes_that_can_be_written_are_there() -> None:
    known = load_schema("planner")["properties"]["review"]["properties"]["theme"]["enum"]
    assert set(known) == set(BUILTIN_THEMES)


def test_keys_have_the_names_that_textual_gives_them() -> None:
    for each in string.printable.strip().replace(",", ""):
        assert keys_of(each) == (_character_to_key(each),)
        assert is_key(_character_to_key(each)), each
    assert ",".join(keys_of("x, ?,ctrl+x")) == _normalize_key_list("x, ?,ctrl+x")
    special = {"scroll-up", "scroll-down", "<any>", "<cursor-position-response>"}
    unusual = {each.value for each in Keys if "<" in each.value or each.value in special}
    unknown = {each.value for each in Keys if not is_key(each.value)} - unusual
    assert unknown <= {"ctrl+@", "ctrl-at", "ignore", "bracketed-paste"}, unknown
    assert not any(map(is_key, ("spcae", "", "ctrl+", "strg+x", "ctrl+spcae", "escpae")))


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        pytest.param(
            "  keymap:\n    review.selcet: x\n", (4, 5), ("SCH001", "review.selcet"), id="id"
        ),
        pytest.param("  theme: nrod\n", (3, 10), ("SCH004", "nrod"), id="theme"),
        pytest.param(
            "  keymap:\n    review.select: spcae\n", (4, 20), ("CFG005", "no key 'spcae'"), id="key"
        ),
        pytest.param(
            "  keymap: {review.select: a}\n", (3, 27), ("CFG004", "review.apply"), id="screen"
        ),
        pytest.param(
            "  keymap: {list.down: 'down, a'}\n", (3, 23), ("CFG004", "review.apply"), id="pane"
        ),
        pytest.param("  keymap: {run.log: x}\n", (3, 21), ("CFG004", "live.stop"), id="part"),
        pytest.param("  keymap: {review.open: F1}\n", (3, 25), ("CFG005", "'F1'"), id="case"),
        pytest.param("  keymap: {review.open: f1}\n", (3, 25), ("CFG004", "app.help"), id="app"),
        pytest.param("  keymap: {confirm.cancel: x}\n", (3, 28), ("CFG005", "typed"), id="typed"),
    ],
)
def test_lint_finds_what_is_wrong_with_a_keymap_and_so_does_the_start(
    planner: Planner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    place: tuple[int, int],
    found: tuple[str, str],
) -> None:
    code, said = found
    monkeypatch.chdir(tmp_path)
    config(tmp_path, text)
    output: Output = planner("lint", "--format", "concise", "planner.yaml")
    assert output.code == 64
    assert f"planner.yaml:{place[0]}:{place[1]}: error {code}" in output.out
    assert said in output.out
    refused = planner("review", "--keys")
    assert refused.code == 64
    assert f"planner.yaml:{place[0]}:{place[1]}: " in refused.err
    with pytest.raises(ConfigError):
        load_config()


@pytest.mark.parametrize(
    "keymap",
    [
        pytest.param("{review.select: 'x, space'}", id="more"),
        pytest.param("{review.select: a, review.apply: space}", id="swapped"),
        pytest.param("{list.up: 'ctrl+y, k', details.up: 'ctrl+y, k'}", id="two-panes"),
        pytest.param("{live.pause: space}", id="other-screen"),
        pytest.param("{review.copy: x, image.copy: x}", id="two-screens"),
        pytest.param("{details.up: 'up,k'}", id="as-it-is"),
        pytest.param("{confirm.cancel: 'f9, ctrl+x'}", id="not-typed"),
        pytest.param("{}", id="empty"),
        pytest.param("", id="null"),
    ],
)
def test_what_cannot_be_confused_is_no_conflict(tmp_path: Path, keymap: str) -> None:
    assert load_config(str(config(tmp_path, f"  keymap: {keymap}\n"))).path


def test_other_keys_do_what_they_should_and_the_old_ones_nothing() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        assert "x select" in shown(pilot)
        await pilot.press("G", "space")
        assert len(model_of(pilot).selection) == 3
        await pilot.press("x")
        assert len(model_of(pilot).selection) == 2
        await pilot.press("w", "home", "ctrl+d", "ctrl+d")
        assert pilot.app.screen_stack[0].query_one("#list").row == DNS  # type: ignore[attr-defined]

    play(app_with({"review.select": "x", "list.down": "ctrl+d,down", "review.why": "f7"}), steps)


def test_swapped_keys_are_swapped() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a")
        assert len(model_of(pilot).selection) == 2
        assert not isinstance(pilot.app.screen, Notice)
        await pilot.press("space")
        await pilot.pause()
        assert "only looks" in shown(pilot)

    play(app_with({"review.select": "a", "review.apply": "space"}, read_only=True), steps)


def test_dialogs_name_the_keys_that_they_have() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await until(pilot, "[x] back")
        await pilot.press("escape")
        assert "[x] back" in shown(pilot)
        await pilot.press("x", "y")
        await until(pilot, "[c] copy [esc] back")

    keymap = {"notice.back": "x", "copy.copy": "c"}
    play(app_with(keymap, read_only=True), steps)


def test_the_table_names_every_key_and_what_was_changed() -> None:
    lines = keys_table({"review.select": "x"}).splitlines()
    assert len(lines) == len(all_keys()) + 1
    row = next(each for each in lines if each.startswith("review.select "))
    assert row.split()[1:3] == ["x", "*"]
    assert "screen review" in row
    assert "\x1b" not in "".join(lines)


def test_keys_are_listed_plainly_without_a_terminal(planner: Planner) -> None:
    output = planner("review", "--keys")
    assert (output.code, output.out) == (0, keys_table({}))


# Help


def help_text(pilot: Pilot[int]) -> str:
    """All of the page of keys; nothing when it is not open."""
    return pilot.app.screen._text if isinstance(pilot.app.screen, Help) else ""


def test_help_is_made_from_the_bindings_of_what_has_the_focus() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        assert "In the list" in shown(pilot)
        text = help_text(pilot)
        for each in ("x f6 ", "/ ", "pageup ctrl+b ", "ctrl+p ", "size:>10MiB"):
            assert f"  {each}" in text
        for key in all_keys():
            if key.id.startswith(("list.", "review.", "app.")):
                assert key.description in text, key
        await pilot.press("question_mark")
        await pilot.pause()
        assert help_text(pilot) == ""
        await pilot.press("tab", "f1")
        await pilot.pause()
        assert "In the details" in help_text(pilot)
        assert "collapse the group" not in help_text(pilot)

    play(app_with({"review.select": "x,f6"}), steps, (120, 60))


def test_help_is_there_above_dialogs_and_leaves_what_is_typed_alone() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await pilot.pause()
        assert "only looks" in shown(pilot)
        await pilot.press("f1")
        await pilot.pause()
        assert "back" in help_text(pilot)
        await pilot.press("escape", "escape", "slash", "question_mark")
        await pilot.pause()
        assert not help_text(pilot)

    play(app_with(read_only=True), steps)


# The palette


async def palette(pilot: Pilot[int], typed: str) -> None:
    """Choose the first entry for some letters."""
    await pilot.press("ctrl+p")
    opened = pilot.app.screen
    assert isinstance(opened, CommandPalette)
    opened.query_one(Input).value = typed
    found = opened.query_one(CommandList)
    for _ in range(500):
        await pilot.pause(0.01)
        if 0 < found.option_count < 6 and found.highlighted is not None:
            break
    await pilot.press("enter")
    await pilot.pause()


def test_the_palette_begins_with_what_the_screen_can_do() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+p")
        await until(pilot, "key x")
        await pilot.pause(0.3)
        options = [str(option.prompt) for option in pilot.app.screen.query_one(CommandList).options]
        text = "\n".join(options)
        own = ["select", "apply…", "next row that needs a look"]
        more = ["group by source", "sort by size", "save this selection as a plan", "other colours"]
        places = [text.index(each) for each in (*own, *more)]
        assert max(places[: len(own)]) < min(places[len(own) :])

    play(app_with({"review.select": "x"}), steps, (120, 60))


def test_the_palette_groups_and_sorts() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await palette(pilot, "by so")
        await palette(pilot, "by si")
        assert (model_of(pilot).grouping, model_of(pilot).sorting) == ("source", "size")

    play(app_with(), steps)


def test_the_selection_is_saved_as_a_plan_and_the_screen_as_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("G", "space")
        await palette(pilot, "this")
        await until(pilot, "Saved to plan-")
        await palette(pilot, "pict")
        await until(pilot, "Saved to planner-review-1.svg")

    app = play(app_with(), steps)
    (saved,) = tmp_path.glob("plan-*.json")
    assert {each.target for each in from_json(saved.read_bytes(), saved.name).pending} == {
        each.target for each in app._model.selection.changes
    }
    assert (tmp_path / "planner-review-1.svg").read_text().startswith("<svg")


# Looks, and what is kept


def test_the_terminals_own_colours_are_the_default_and_planner_yaml_chooses_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        pass

    assert play(app_with(), steps).theme == "ansi-dark"
    assert play(app_with(theme="nord"), steps).theme == "nord"
    monkeypatch.setenv("TEXTUAL_THEME", "dracula")
    assert play(app_with(theme="nord"), steps).theme == "dracula"
    monkeypatch.setenv("TEXTUAL_THEME", "no-such-theme")
    assert play(app_with(theme="nord"), steps).theme == "nord"


def test_how_it_looked_is_kept_and_what_was_selected_is_not() -> None:
    async def change(pilot: Pilot[int]) -> None:
        await pilot.press("v", "s", "plus", "A")
        pilot.app.theme = "gruvbox"
        await pilot.pause()

    async def steps(pilot: Pilot[int]) -> None:
        model = model_of(pilot)
        assert (model.grouping, model.sorting, pilot.app.theme) == ("source", "name", "gruvbox")
        assert pilot.app.screen.query_one("#details").region.width == 72
        assert len(model.selection) == 3

    play(app_with(), change)
    play(app_with(), steps)
    file = state_file()
    assert file
    assert set(json.loads(file.read_text())) == {"theme", "grouping", "sorting", "details"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="broken"),
        pytest.param("[1]", id="list"),
        pytest.param('{"theme": 1, "grouping": [], "details": "x"}', id="types"),
        pytest.param('{"theme": "x", "grouping": "x", "sorting": "x", "details": 99}', id="values"),
        pytest.param('{"details": true}', id="boolean"),
        pytest.param("[" * 50_000, id="deep"),
        pytest.param("\ud800", id="bytes"),
    ],
)
def test_a_damaged_state_is_no_state(text: str) -> None:
    file = state_file()
    assert file
    file.parent.mkdir(parents=True)
    file.write_bytes(text.encode("utf-8", "surrogatepass"))

    async def steps(pilot: Pilot[int]) -> None:
        assert "3 of 3 selected" in shown(pilot)
        assert model_of(pilot).grouping == "repository"
        assert "etcd:3.5" in shown(pilot)

    play(app_with(), steps)


def test_a_state_that_cannot_be_written_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    save_state(State("nord"))
    assert load_state() == State()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "new"))
    save_state(State("nord", "flat", "name", 2))
    assert load_state() == State("nord", "flat", "name", 2)
    assert (tmp_path / "new" / "planner" / "review.json").is_file()


def test_a_relative_state_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_file() == home / ".local" / "state" / "planner" / "review.json"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"PLANNER_ASCII": "1"}, True),
        ({"PLANNER_ASCII": "0", "LC_ALL": "C"}, False),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LC_CTYPE": "C.utf8", "LANG": "C"}, False),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({}, False),
    ],
)
def test_who_gets_ascii(environment: dict[str, str], expected: bool) -> None:
    assert wants_ascii(environment) is expected


def test_nothing_but_ascii_is_drawn_where_ascii_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_ASCII", "1")

    async def steps(pilot: Pilot[int]) -> None:
        frames = []
        for keys in (
            (),
            ("f",),
            ("question_mark",),
            ("escape", "a"),
            ("escape", "ctrl+p"),
            ("f1",),
        ):
            await pilot.press(*keys)
            await pilot.pause(0.1)
            frames.append(shown(pilot))
        for text in frames:
            assert text.isascii(), {each for each in text if not each.isascii()}
            assert {len(line) for line in text.splitlines()} <= set(range(121))
        assert "+-" in frames[0]
        assert "[x]   ~ move     etcd:3.5" in frames[0]
        assert "[x] - " in frames[0]

    play(app_with(read_only=True), steps)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("╭─╮│╰╯┼━┃═║", "+-+|+++-|-|"), ("▾ é 日本 … →", "- e ???? ~ >"), ("█░", "#."), ("a", "a")],
)
def test_ascii_keeps_the_width(text: str, expected: str) -> None:
    assert as_ascii(text) == expected


def test_other_themes_colour_everything() -> None:
    async def steps(pilot: Pilot[int]) -> None:
        pilot.app.theme = "nord"
        await pilot.pause(0.1)
        strips = pilot.app.screen._compositor.render_strips()
        colours = {
            segment.style.bgcolor.name
            for strip in strips
            for segment in strip
            if segment.style and segment.style.bgcolor
        }
        assert "#2e3440" in {each.lower() for each in colours}

    play(app_with(), steps)


# Who may apply, and where


def test_textual_is_not_loaded_for_lint_or_lines() -> None:
    code = (
        "import sys; import planner.ui.plain_review, planner.core.keymap, planner.ui.commands.review;"
        "sys.exit('textual' in sys.modules)"
    )
    assert subprocess.run((sys.executable, "-c", code), check=False).returncode == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--read-only", "--allow-apply"), "contradict"),
        (("--port", "80"), "--serve"),
        (("--serve", "--plain"), "--plain"),
        (("--serve", "--port", "65536"), "at most 65535"),
    ],
)
def test_options_that_contradict_each_other(
    planner: Planner, options: tuple[str, ...], said: str
) -> None:
    output = planner("review", "plan.json", *options)
    assert output.code == 64
    assert said in output.err


def test_what_is_missing_for_a_browser_is_named(
    planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "planner.ui.review_server", raising=False)
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    output = planner("review", "plan.json", "--serve")
    assert output.code == 64
    assert "pip install 'planner[web]'" in output.err
