"""``planner lint --show-config``: what lint goes by, and who says so."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from planner.config import Config, LintSettings
from planner.core.choice import words_of
from planner.core.document import ABSENT, Node


class Setting(NamedTuple):
    """One line of it."""

    name: str
    value: str
    origin: str


def settings_text(config: Config, settings: LintSettings, options: argparse.Namespace) -> str:
    """A line for each setting: its name, its value, and where that comes from."""
    rows = [Setting("config", str(config.path or "none"), _why_this_config(config, options))]
    rows.extend(_rows(config, settings, options))
    name, value = (max(len(row[at]) for row in rows) for at in (0, 1))
    return "".join(f"{row.name:{name}}  {row.value:{value}}  {row.origin}\n" for row in rows)


def _why_this_config(config: Config, options: argparse.Namespace) -> str:
    if options.config or options.no_config:
        return "--config" if options.config else "--no-config"
    return "the nearest" if config.path else "there is none here or above"


def _rows(config: Config, settings: LintSettings, options: argparse.Namespace) -> Iterator[Setting]:
    said = _Said(config)
    yield from said.list("select", "all rules", words_of(options.select))
    yield from said.list("ignore", "none", words_of(options.ignore), adds=True)
    for key in ("per_file", "kinds"):
        for glob, node in said.node(key).fields():
            words = ", ".join(each.text for each in node.items) or node.text
            yield Setting(key, f"{glob}: {words}", said.place(node))
    floor = settings.fail_on or "never"
    yield said.one("fail_on", str(floor), options.fail_on)
    yield said.one("baseline", settings.baseline or "none", options.baseline)
    terraform = [each.spec for each in config.clusters if each.terraform]
    if options.terraform:
        yield Setting("terraform", "all specs", "--terraform")
    for spec in terraform:
        yield Setting("terraform", spec, f"clusters of {config.path}")


class _Said:
    """What planner.yaml says, with places."""

    def __init__(self, config: Config) -> None:
        self._path = config.path
        self._lint = config.spec.root.get("lint") if config.spec else ABSENT

    def node(self, key: str) -> Node:
        return self._lint.get(key)

    def place(self, node: Node) -> str:
        return f"{self._path}:{node.place.line}"

    def one(self, key: str, value: str, option: str | None) -> Setting:
        node = self.node(key)
        default = "default" if node.is_null() else self.place(node)
        return Setting(key, value, f"--{key.replace('_', '-')}" if option else default)

    def list(
        self, key: str, default: str, words: Sequence[str], *, adds: bool = False
    ) -> Iterator[Setting]:
        nodes = self.node(key).items if adds or not words else ()
        for node in nodes:
            yield Setting(key, node.text, self.place(node))
        for word in words:
            yield Setting(key, word, f"--{key}")
        if not nodes and not words:
            yield Setting(key, default, "default")
