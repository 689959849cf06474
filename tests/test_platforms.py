"""Platforms are read as containerd reads them."""

from __future__ import annotations

import pytest

from planner.core import schema
from planner.core.errors import UsageError
from planner.core.platforms import (
    _ARCHITECTURES,
    _SYSTEMS,
    missing,
    normalised,
    of_all,
    taken,
    wanted_platforms,
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # Source: containerd/platforms 09756f5 platforms_test.go, TestParseSelector; compare_test.go.
        pytest.param("linux/x86_64", "linux/amd64", id="x86_64"),
        pytest.param("linux/amd64/v1", "linux/amd64", id="amd64-v1"),
        pytest.param("linux/amd64/v3", "linux/amd64/v3", id="amd64-v3"),
        pytest.param("Linux/AArch64", "linux/arm64", id="aarch64"),
        pytest.param("linux/arm64/v8", "linux/arm64", id="arm64-v8"),
        pytest.param("linux/arm64/9", "linux/arm64/v9", id="arm64-9"),
        pytest.param("linux/arm64/v8.2", "linux/arm64/v8.2", id="arm64-v8.2"),
        pytest.param("linux/arm", "linux/arm/v7", id="arm"),
        pytest.param("linux/arm/6", "linux/arm/v6", id="arm-6"),
        pytest.param("linux/armhf", "linux/arm/v7", id="armhf"),
        pytest.param("linux/armel", "linux/arm/v6", id="armel"),
        pytest.param("linux/i386", "linux/386", id="i386"),
        pytest.param("macOS/arm64", "darwin/arm64", id="macos"),
        pytest.param("windows/amd64", "windows/amd64", id="windows"),
        pytest.param("amd64", "linux/amd64", id="no-system"),
    ],
)
def test_one_platform_is_written_in_one_way(written: str, expected: str) -> None:
    assert normalised(written) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param((), (), id="nothing-is-everything"),
        pytest.param(("linux/arm64", "linux/amd64"), ("linux/amd64", "linux/arm64"), id="in-order"),
        pytest.param(("linux/aarch64", "linux/arm64/v8"), ("linux/arm64",), id="each-once"),
        pytest.param(("linux/amd64", "all"), (), id="all"),
    ],
)
def test_what_is_wanted(words: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert wanted_platforms(words) == expected


@pytest.mark.parametrize(
    ("word", "message", "hint"),
    [
        ("amd64", "'amd64' is no platform: one is written as os/arch", "write linux/amd64 or"),
        ("linux/", "'linux/' is no platform: one is written as os/arch", "write linux/amd64 or"),
        ("linux/arm/v7/x", "'linux/arm/v7/x' is no platform", "write linux/amd64 or"),
        ("linux/*", "'linux/*' is no platform", "write linux/amd64 or"),
        ("linux/amd46", "nothing is called 'amd46'", "did you mean linux/amd64?"),
        ("linx/amd64", "nothing is called 'linx'", "did you mean linux/amd64?"),
    ],
)
def test_what_is_no_platform_is_refused(word: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        wanted_platforms([word])
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("system", [*sorted(_SYSTEMS), "macos", "linx"])
def test_planner_yaml_takes_the_words_that_the_command_line_takes(system: str) -> None:
    """So that lint tells at its place what a command would refuse."""
    aliases = ("x86_64", "x86-64", "i386", "aarch64", "armhf", "armel", "amd46", "")
    for architecture in (*_ARCHITECTURES, *aliases):
        word = f"{system}/{architecture}"
        cluster = {"name": "a", "spec": "b", "platforms": [word, f"{word}/v8", "all"]}
        violations = schema.violations("planner", {"version": 1, "clusters": [cluster]})
        assert (violations == []) == _is_taken(word), word


def _is_taken(word: str) -> bool:
    try:
        return bool(wanted_platforms([word]))
    except UsageError:
        return False


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [
        # Source: containerd/platforms 09756f5 compare_test.go, TestOnly.
        pytest.param("linux/amd64", "linux/386 linux/amd64", "linux/amd64", id="its-own"),
        pytest.param("linux/amd64", "linux/386 linux/arm64", "linux/386", id="386-on-amd64"),
        pytest.param("linux/386", "linux/amd64", "", id="not-the-other-way"),
        pytest.param("linux/amd64/v3", "linux/amd64/v2 linux/amd64", "linux/amd64/v2", id="v2"),
        pytest.param("linux/amd64", "linux/amd64/v2", "", id="v2-is-too-new"),
        pytest.param("linux/arm/v7", "linux/arm/v5 linux/arm/v6", "linux/arm/v6", id="arm-v6"),
        pytest.param("linux/arm/v6", "linux/arm/v7", "", id="arm-v7-is-too-new"),
        pytest.param("linux/arm64", "linux/arm/v7 linux/arm/v6", "linux/arm/v7", id="arm-on-arm64"),
        pytest.param("linux/arm64/v9", "linux/arm64/v8.5 linux/arm64", "linux/arm64/v8.5", id="v9"),
        pytest.param("linux/arm64/v8.2", "linux/arm64/v8.5 linux/arm64", "linux/arm64", id="v8.2"),
        pytest.param("linux/s390x", "linux/amd64", "", id="nothing"),
        pytest.param("windows/amd64", "linux/amd64", "", id="another-system"),
    ],
)
def test_a_node_takes_the_best_that_it_runs(wanted: str, there: str, expected: str) -> None:
    assert taken([wanted], there.split()) == frozenset(filter(None, [expected]))
    assert missing([wanted], there.split()) == (() if expected else (wanted,))


def test_the_union_of_all_is_wanted_and_everything_wins() -> None:
    assert of_all([("b/x", "c/x"), ("a/x", "b/x")]) == ("a/x", "b/x", "c/x")
    assert of_all([("a/x",), ()]) == ()
    assert of_all([]) == ()
