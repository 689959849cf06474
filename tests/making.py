"""Needs, plans and stores by hand, on registries that a test controls."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx

from planner.apply import Run, apply, still_to_do
from planner.config import Config, RegistrySettings, Tls
from planner.core.content import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest, digest_of
from planner.core.errors import RegistryError
from planner.core.events import Event, Finished
from planner.core.family import Because, Need
from planner.core.graph import Graph
from planner.core.place import Place
from planner.core.plan import Change, Plan
from planner.core.reader import read
from planner.core.refs import ImageRef, parse_image
from planner.core.resolution import Attempt, Resolution
from planner.needs import ClusterNeeds, Collected
from planner.prepare import make_plan
from planner.specs import families
from planner.stores.auth import Authorizer
from planner.stores.cache import ManifestCache
from planner.stores.credentials import find_credentials
from planner.stores.http import Connection
from planner.stores.opening import Places, Stores
from planner.stores.patience import Patience
from planner.stores.perform import perform
from planner.stores.registry import Registry
from planner.stores.verified import VerifiedStream
from tests.fakes import FakeRegistry
from tests.fakes.front import Front

UPSTREAM = "docker.io"
MIRROR = "registry.corp"
OTHER = "other.corp"


def no_sleep(_: float) -> None:
    """Do not wait."""


IMPATIENT = Patience(tries=3, sleep=no_sleep)


def make_registry(
    fake: FakeRegistry, patience: Patience = IMPATIENT, *, prefix: str = "", **options: Any
) -> Registry:
    """The client of a fake registry; ``options`` are those of ``Authorizer``."""
    connection = Connection(fake.url, Tls(), 8, patience)
    find = options.pop("find", lambda: find_credentials(fake.host))
    return Registry("r.corp", connection, Authorizer(connection, find, **options), prefix)


@contextmanager
def stream_of(data: bytes, digest: str, size: int = -1) -> Iterator[VerifiedStream]:
    """Some bytes as what they are said to be."""
    yield VerifiedStream(iter((data,)), digest, len(data) if size < 0 else size, "the test")


def attempt(image: ImageRef, name: str, scheme: str = "https") -> Attempt:
    """A node's try to get ``image`` under another name."""
    target = parse_image(name)
    return Attempt(
        f"{scheme}://{target.registry}/v2", target.repository, target.reference, image.registry
    )


def make_need(source: str, *targets: str, line: int = 1) -> Need:
    """Something that nodes look for under ``targets`` in turn, and then at its own registry."""
    image = parse_image(source)
    own = Attempt(
        f"https://{image.registry}/v2", image.repository, image.reference, image.registry, True
    )
    tries = (*(attempt(image, each) for each in targets), own)
    return Need(image, Resolution(image, tries), (Because("s.yaml", line, 1, f"{source}"),))


def make_collected(needs: Iterable[Need]) -> Collected:
    """One cluster with these needs."""
    return Collected(
        (ClusterNeeds("c", read("s.yaml", "mirrors: {}"), families()[0], tuple(needs)),), ()
    )


def make_manifest(blobs: Iterable[Descriptor]) -> Manifest:
    """An image of some blobs, of which the first is its configuration."""
    config, *layers = (_described(each) for each in blobs)
    document = {"schemaVersion": 2, "config": config, "layers": layers}
    return Manifest(OCI_MANIFEST, json.dumps(document).encode())


def make_index(children: Iterable[Manifest]) -> Manifest:
    """An index of manifests."""
    listed = [_described(Descriptor(each.digest, len(each.data), "")) for each in children]
    return Manifest(OCI_INDEX, json.dumps({"schemaVersion": 2, "manifests": listed}).encode())


def _described(blob: Descriptor) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def make_random_plan(seed: int) -> Plan:
    """Images and indexes over a few blobs, some of which two registries hold already."""
    chance = random.Random(seed)
    blobs = [Descriptor(digest_of(bytes([each])), 10**each, "x") for each in range(6)]
    places = [Place(registry, f"r{each}") for registry in (MIRROR, OTHER) for each in range(3)]
    manifests: dict[str, Manifest] = {}
    changes = []
    for number in range(chance.randint(1, 8)):
        images = [
            make_manifest(chance.choices(blobs, k=chance.randint(1, 4)))
            for _ in range(chance.randint(1, 3))
        ]
        root = images[0] if len(images) == 1 else make_index(images)
        manifests |= {each.digest: each for each in (root, *(images if root.is_index else ()))}
        place = chance.choice(places)
        tag, digest = ("", root.digest) if chance.random() < 0.2 else (f"t{number}", "")
        source = ImageRef(UPSTREAM, f"s/{place.repository}", tag, digest)
        target = source.moved_to(place.registry, place.repository)
        changes.append(Change("create", target, source, root.digest))
    held = {each.digest: tuple(chance.sample(places, chance.randint(0, 2))) for each in blobs}
    return Plan(tuple({each.target: each for each in changes}.values()), manifests, held)


def needed_for(graph: Graph, step_id: str) -> set[str]:
    """Everything that must happen before a step."""
    return set(nx.ancestors(graph.as_networkx(), step_id))


@dataclass
class World:
    """An upstream registry, two private ones, and planner between them."""

    folder: Path
    upstream: FakeRegistry
    mirror: FakeRegistry
    other: FakeRegistry
    patience: Patience = IMPATIENT
    more: dict[str, RegistrySettings] = field(default_factory=dict)

    @property
    def places(self) -> Places:
        fakes = {UPSTREAM: self.upstream, MIRROR: self.mirror, OTHER: self.other}
        named = {name: RegistrySettings(endpoint=fake.url) for name, fake in fakes.items()}
        return Places(Config(registries=named | self.more))

    def stores(self) -> Stores:
        return Stores(self.places, self.patience)

    @property
    def cache(self) -> ManifestCache:
        return ManifestCache(self.folder / "cache")

    def plan(self, *images: str, to: str = MIRROR, deep: bool = True) -> Plan:
        """A plan for images of the upstream registry under the same names elsewhere."""
        return self.plan_of(*(make_need(each, f"{to}/{each}") for each in images), deep=deep)

    def plan_of(self, *needs: Need, deep: bool = True) -> Plan:
        return make_plan(make_collected(needs), self.stores(), self.cache, deep=deep).plan

    def apply(
        self, plan: Plan, changes: Iterable[Change] | None = None, **options: Any
    ) -> list[Event]:
        """Carry a plan out on threads; ``options`` are those of ``Run``."""
        stores = self.stores()
        chosen = still_to_do(plan, plan.pending, stores) if changes is None else list(changes)
        work = partial(
            perform, stores, lambda _step, _moved: None, is_fresh=lambda: changes is None
        )
        with ThreadPoolExecutor(4) as executor:
            all_options: dict[str, Any] = {
                "executor": executor,
                "perform": work,
                "tick": 5.0,
                **options,
            }
            return list(apply(plan, chosen, Run(**all_options)))

    def sync(self, *images: str) -> Finished:
        """Plan and apply."""
        return ending(self.apply(self.plan(*images)))


@contextmanager
def make_world(folder: Path, **mirror: Any) -> Iterator[World]:
    """Three empty registries; ``mirror`` are options of the first private one."""
    with FakeRegistry() as upstream, FakeRegistry(**mirror) as private, FakeRegistry() as other:
        yield World(folder, upstream, private, other)


def ending(events: list[Event]) -> Finished:
    """The last event."""
    last = events[-1]
    assert isinstance(last, Finished)
    return last


def writes(fake: FakeRegistry | Front) -> int:
    """How many requests could have changed something."""
    return fake.count("POST|PUT|PATCH|DELETE", "^/v2/")


def login(
    folder: Path, fake: FakeRegistry | Front, user: str = "me", password: str = "secret"
) -> None:
    """Write a docker configuration with a password."""
    entry = f'{{"username": "{user}", "password": "{password}"}}'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(f'{{"auths": {{"{fake.host}": {entry}}}}}')


def error_of(action: Any) -> RegistryError:
    """What a call raises."""
    try:
        action()
    except RegistryError as error:
        return error
    raise AssertionError("nothing was raised")
