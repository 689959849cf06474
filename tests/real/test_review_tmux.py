"""The full-screen review in a real terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import requests

from planner.core.refs import parse_image
from planner.sample import write_samples
from planner.stores.layout import Layout, LayoutFolder
from tests.real.story import Workplace
from tests.support.process import PATIENCE
from tests.support.registry_server import RegistryServer
from tests.support.terminal import Terminal

HOST = "registry.corp:5000"
IMAGES = tuple(parse_image(f"docker.io/team/{name}:1") for name in ("api", "db", "web"))
SPEC = f"mirrors:\n  docker.io:\n    endpoint: ['https://{HOST}']\n    rewrite: {{'^(.*)$': 'hub/$1'}}\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    place = make_place(tmp_path)
    monkeypatch.chdir(tmp_path)
    return place


def make_place(tmp_path: Path) -> Workplace:
    """A saved plan that copies three images from one layout into another."""
    place = Workplace(tmp_path)
    upstream = LayoutFolder(tmp_path / "up")
    write_samples(IMAGES, lambda registry: Layout(upstream, registry), kib=4)
    place.write("registries.yaml", SPEC)
    place.write("list.txt", "".join(f"{each}\n" for each in IMAGES))
    specs = ("registries.yaml", "--images", "list.txt")
    planned = place.planner(
        "plan", *specs, "--from", "oci:up", "--to", "oci:down", "-o", "plan.json"
    )
    assert planned.returncode == 0, planned.stderr
    return place


def review(terminal: Terminal, place: Workplace, *options: str, **environment: str) -> None:
    command = (sys.executable, "-m", "planner", "review", "plan.json", *options)
    terminal.start(command, width=120, height=36, env={**place.environment, **environment})


def held(place: Workplace) -> set[str]:
    store = Layout(LayoutFolder(place.folder / "down"), HOST)
    return {each.repository for each in IMAGES if store.head(f"hub/{each.repository}", "1")}


def test_a_plan_is_looked_at_narrowed_down_and_applied(
    place: Workplace, terminal: Terminal
) -> None:
    review(terminal, place, "--allow-apply")
    first = terminal.wait_for("3 of 3 selected")
    for text in (f"to {HOST} at oci:down", f"[x] ▾ {HOST}/hub/team", "+ create   api:1", "Details"):
        assert text in first
    terminal.send("Down", "Space")
    assert "[ ]   + create   api:1" in terminal.wait_for("2 of 3 selected")
    terminal.send("a")
    terminal.wait_for("Type  yes  to apply:")
    terminal.send("Enter", "Enter", "yes", "Enter")
    terminal.wait_for("2 images done")
    terminal.send("q")
    assert terminal.wait_for_exit() == 0
    assert "2 images done" in terminal.wait_for("2 images done")
    assert held(place) == {"team/db", "team/web"}


def test_leaving_writes_nothing_and_restores_the_terminal(
    place: Workplace, terminal: Terminal
) -> None:
    review(terminal, place, NO_COLOR="1")
    terminal.wait_for("READ-ONLY")
    terminal.send("a")
    terminal.wait_for("--allow-apply applies what is selected")
    terminal.send("q", "q")  # out of the message, out of the review
    assert terminal.wait_for_exit() == 0
    assert not terminal.screen().strip()
    assert not held(place)


def test_specs_are_planned_and_then_reviewed(place: Workplace, terminal: Terminal) -> None:
    specs = ("registries.yaml", "--images", "list.txt", "--from", "oci:up", "--to", "oci:down")
    command = (sys.executable, "-m", "planner", "review", *specs)
    terminal.start(command, width=80, height=24, env=place.environment)
    first = terminal.wait_for("3 of 3 selected")
    assert "web:1" in first
    assert "READ-ONLY" not in first
    terminal.send("C-c")
    assert terminal.wait_for_exit() == 0


def test_a_stale_plan_is_not_opened(place: Workplace, terminal: Terminal) -> None:
    place.write("registries.yaml", f"{SPEC}# edited\n")
    review(terminal, place)
    assert terminal.wait_for_exit() == 75
    terminal.wait_for("registries.yaml changed since it was made")


@pytest.mark.parametrize("plan", ["plan.json", "no-such-file.json"])
def test_without_a_terminal_it_names_the_plain_command(place: Workplace, plan: str) -> None:
    refused = place.planner("review", plan)
    assert (refused.returncode, refused.stdout) == (64, "")
    assert "planner show PLAN" in refused.stderr


def test_a_dumb_terminal_is_none(place: Workplace, terminal: Terminal) -> None:
    command = ("env", "TERM=dumb", sys.executable, "-m", "planner", "review", "plan.json")
    terminal.start(command, env=place.environment)
    terminal.wait_for("planner show PLAN")
    assert terminal.wait_for_exit() == 64


def test_the_review_in_lines_needs_no_screen_and_asks_the_same(
    place: Workplace, terminal: Terminal
) -> None:
    review(terminal, place, "--allow-apply", TERM="dumb", PLANNER_A11Y="1")
    terminal.wait_for("review>")
    terminal.send("drop 1", "Enter")
    terminal.wait_for("2 of 3 selected")
    terminal.send("apply", "Enter")
    terminal.wait_for("Type yes to apply")
    terminal.send("yes", "Enter")
    terminal.wait_for("2 images done")
    assert terminal.wait_for_exit() == 0
    assert held(place) == {"team/db", "team/web"}


def test_a_locale_without_utf_8_gets_ascii_alone(place: Workplace, terminal: Terminal) -> None:
    command = ("env", "LC_ALL=C", sys.executable, "-m", "planner", "review", "plan.json")
    terminal.start(command, width=120, height=36, env=place.environment)
    screen = terminal.wait_for("3 of 3 selected")
    assert "+- Plan" in screen
    assert screen.isascii()


def test_a_run_to_a_real_registry_is_paused_and_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    registry: RegistryServer,
    terminal: Terminal,
) -> None:
    place = Workplace(tmp_path)
    upstream = LayoutFolder(tmp_path / "up")
    write_samples(IMAGES, lambda name: Layout(upstream, name), kib=1024)
    spec = f"mirrors: {{docker.io: {{endpoint: ['{registry.url}'], rewrite: {{'^(.*)$': 'hub/$1'}}}}}}\n"
    place.write("registries.yaml", spec)
    place.write("list.txt", "".join(f"{each}\n" for each in IMAGES))
    specs = ("registries.yaml", "--images", "list.txt", "--from", "oci:up")
    planned = place.planner("plan", *specs, "-o", "plan.json")
    assert planned.returncode == 0, planned.stderr
    monkeypatch.chdir(tmp_path)
    review(terminal, place, "--allow-apply", "--bandwidth", "2Mbit/s")
    terminal.wait_for("3 of 3 selected")
    terminal.send("Down", "Space")
    terminal.wait_for("2 of 3 selected")
    terminal.send("/web", "Enter")  # in one burst
    terminal.wait_for("1 image of 3")
    terminal.send("Escape")
    terminal.wait_for("[ ]   + create   api:1")
    terminal.send("a")
    terminal.wait_for("Type  yes  to apply:")
    terminal.send("yes", "Enter")
    terminal.wait_for("Applying")
    terminal.send("p")
    terminal.wait_for("Paused")
    assert names(registry) != {"hub/team/db", "hub/team/web"}
    terminal.send("p")
    terminal.wait_for("Finished")
    terminal.send("q")
    assert terminal.wait_for_exit() == 0
    assert names(registry) == {"hub/team/db", "hub/team/web"}


def names(registry: RegistryServer) -> set[str]:
    """The repositories that have the tag."""
    asked = (f"hub/{each.repository}" for each in IMAGES)
    lists = {
        each: requests.get(f"{registry.url}/v2/{each}/tags/list", timeout=PATIENCE)
        for each in asked
    }
    return {each for each, answer in lists.items() if "1" in (answer.json().get("tags") or ())}
