"""``planner doctor``.

Goes the way to each registry step by step, and says at each step what is there: proxy,
name, connection, TLS and who vouches for the certificate, how the registry wants to be
asked, clocks, product, where credentials come from, whether they are accepted, whether
images may be pulled, and how many. The first failure ends the way; what to do about it
stands last. Nothing is written, and no right to write is asked for.

Without REGISTRY: all that the clusters need, as sources and targets, and all that
planner.yaml names. Specs are read in any case, since they may say how their registry is
reached: an authority, a login from the environment.

Examples:
  planner doctor
  planner doctor registry.corp:5000 docker.io
  planner doctor -c clusters/prod/eksa.yaml
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from urllib.parse import urlsplit

from planner.config import Config, load_config
from planner.core.errors import DONE, PlannerError, RegistryError, UsageError
from planner.core.examined import Examined, Step, Verdict
from planner.core.family import Trust
from planner.core.refs import ImageRef, name_problem
from planner.core.resolution import with_port
from planner.core.text import plural, printable
from planner.doctor import examine
from planner.needs import ClusterNeeds, Collected, Wanted, collect, load_spec
from planner.stores.opening import Places, Stores
from planner.stores.patience import Patience
from planner.ui.options import add_spec_option, refuse_files
from planner.ui.style import Style, style_for

FORMAT = "planner.doctor/1"
_TRIES = 2
_WORDS: dict[Verdict, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "failure": ("FAILURE", "red"),
    "skipped": ("-", "dim"),
}
_WIDEST = max(len(word) for word, _ in _WORDS.values())
_NAMES = 11
_WIDTH = 80


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "registries", nargs="*", metavar="REGISTRY", help="HOST[:PORT], or a URL (default: all)"
    )
    add_spec_option(parser)
    parser.add_argument(
        "--config", default="", metavar="FILE", help="planner.yaml (default: the nearest)"
    )
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: text")


def run(options: argparse.Namespace) -> int:
    """Print what was found; 69 when a registry cannot be used."""
    refuse_files(options.registries, "doctor")
    config = load_config(options.config)
    collected = _collected(config, options.specs)
    registries = tuple(dict.fromkeys(options.registries)) or _registries(config, collected)
    if not registries:
        raise UsageError(
            "there is no registry to look at",
            "name one (planner doctor registry.corp), a spec (-c SPEC), or list some in planner.yaml",
        )
    style = style_for(sys.stdout)
    results: list[Examined] = []
    for each in registries:
        results.append(_examine(each, config, collected))
        if options.format == "text":
            sys.stdout.write(_text(results[-1], style))
            sys.stdout.flush()
    if options.format == "json":
        sys.stdout.write(json.dumps(_document(results), indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_summary(results))
    return DONE if all(each.is_usable for each in results) else RegistryError.exit_code


def _collected(config: Config, specs: Sequence[str]) -> Collected:
    """What the clusters need; of a cluster whose images are not known, what its spec says about registries."""
    wanted = list(specs) or [cluster.spec for cluster in config.clusters]
    return Collected(tuple(cluster for each in wanted for cluster in _cluster(config, each)), ())


def _cluster(config: Config, path: str) -> Iterable[ClusterNeeds]:
    try:
        return collect(config, Wanted((path,))).clusters
    except PlannerError as error:
        kind = next((each.kind for each in config.clusters if each.spec == path), "")
        spec, family = load_spec(path, kind)
        sys.stderr.write(f"note: no image to look for is known: {printable(error.message)}\n")
        return (ClusterNeeds(path, spec, family, ()),)


def _registries(config: Config, collected: Collected) -> tuple[str, ...]:
    """Each registry once, with or without the port of https as it is named first."""
    named = [*_probes(collected), *(each.host for each in collected.trusts()), *config.registries]
    found: dict[str, str] = {}
    for each in named:
        found.setdefault(with_port(each, is_tls=True), each)
    return tuple(found.values())


def _probes(collected: Collected) -> dict[str, ImageRef]:
    """An image to look for on each registry; of those that a private one shall have, none need be there."""
    found: dict[str, ImageRef] = {}
    for need in collected.needs:
        for image in (need.source, need.target):
            if image:
                found.setdefault(image.registry, image)
    return found


def _examine(name: str, config: Config, collected: Collected) -> Examined:
    places = Places(
        config,
        name if "://" in name else "",
        "",
        {**_schemes(collected.trusts()), **collected.schemes},
        collected.logins,
        collected.authorities,
    )
    stores = Stores(places, Patience(_TRIES))
    registry = urlsplit(name).netloc if "://" in name else name
    if name_problem(registry, "any"):
        raise UsageError(
            "that is not the address of a registry",
            "write HOST[:PORT] or https://HOST[:PORT], without credentials",
        )
    return examine(registry, stores, _probes(collected).get(registry))


def _schemes(trusts: Iterable[Trust]) -> Mapping[str, str]:
    return {each.host: "https" if each.is_tls else "http" for each in trusts}


def _text(result: Examined, style: Style) -> str:
    width = min(style.width or _WIDTH, _WIDTH)
    title = style.paint(printable(result.registry), "bold")
    lines = [f"{title} at {printable(result.url)}"]
    tried = [step for step in result.steps if step.verdict != "skipped"]
    skipped = ", ".join(step.name for step in result.steps if step.verdict == "skipped")
    for step in tried:
        lines += _step_lines(step, style, width)
    if skipped:
        lines += _step_lines(Step("not tried", "skipped", skipped), style, width)
    first = result.first
    if first:
        lines += _wrapped(f"first: {printable(first.hint or first.text)}", "  ", "         ", width)
    return "\n".join(lines) + "\n\n"


def _step_lines(step: Step, style: Style, width: int) -> Iterator[str]:
    word, colour = _WORDS[step.verdict]
    head = f"  {word:{_WIDEST}}  {step.name:{_NAMES}}  "
    first, *more = _wrapped(printable(step.text), " " * len(head), " " * len(head), width)
    yield f"  {style.paint(f'{word:{_WIDEST}}', colour)}  {step.name:{_NAMES}}  {first.strip()}"
    yield from more


def _wrapped(text: str, first: str, rest: str, width: int) -> list[str]:
    return wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(results: Sequence[Examined]) -> str:
    usable = sum(each.is_usable for each in results)
    others = len(results) - usable
    count = plural(len(results), "registry", "registries")
    return f"{count}: {usable} usable{f', {others} not' if others else ''}\n"


def _document(results: Sequence[Examined]) -> dict[str, object]:
    return {
        "format": FORMAT,
        "registries": [
            {
                "registry": each.registry,
                "url": each.url,
                "ok": each.is_usable,
                "first": (each.first.hint or each.first.text) if each.first else "",
                "steps": [step._asdict() for step in each.steps],
            }
            for each in results
        ],
        "ok": all(each.is_usable for each in results),
    }
