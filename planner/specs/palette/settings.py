"""The settings of an image registry, wherever they stand: ``config.ociImageRegistry`` of a chart, or the registry-info Secret.

A rule about a setting is written once for both. It goes through ``settings_of(spec)`` and blames ``setting.node``; in its
message it calls the setting ``setting.name``, which is what the file calls it::

    for settings in settings_of(spec):
        if settings.username.text and not settings.password.text:
            name, other = settings.username.name, settings.password.name
            yield Hit(settings.username.node, f"{name} is set without {other}")

``text`` is what Palette reads, base64 of a Secret's ``data`` undone. Two cases need a thought. A ``Setting`` is false when it
is not written at all, and ``settings.home`` is then the place to blame. ``is_readable`` is false when nobody can say what it
holds (a list, a boolean where Kubernetes takes text, broken base64), which the schema and the Secret's own rules report.
``is_encoded`` tells that columns within the text are no columns of the file; ``entries(spec, settings)`` has the list of
mirrors with the best place that each entry has.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from planner.core.document import ABSENT, Node, Spec
from planner.specs.palette.documents import image_registry, secrets
from planner.specs.palette.mirrors import Located, encoded, located

Place = Literal["values", "secret"]
_NO_BREAKS = {ord("\r"): None, ord("\n"): None}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: what the file calls it, the node that holds it, and what Palette reads there."""

    name: str
    node: Node = ABSENT
    text: str = ""
    is_readable: bool = True
    is_encoded: bool = False

    def __bool__(self) -> bool:
        """Whether it is written at all."""
        return bool(self.node)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one image registry. ``home`` is the mapping in which they stand."""

    place: Place
    home: Node
    endpoint: Setting
    base_path: Setting
    username: Setting
    password: Setting
    insecure: Setting
    authority: Setting
    mirrors: Setting

    @property
    def feeds_webhook(self) -> bool:
        """Whether image-swap reads the list, which writes targets into image names, and not the nodes' containerd."""
        return self.place == "values"

    @property
    def skips_verification(self) -> bool:
        """Whether any certificate is accepted."""
        return self.insecure.text == "true"

    @property
    def required(self) -> tuple[Setting, ...]:
        """The settings without which the registry is not used."""
        return (self.endpoint, self.base_path, self.insecure, self.mirrors)

    def __iter__(self) -> Iterator[Setting]:
        """All of them, in the order of the documentation."""
        return iter(
            (
                self.endpoint,
                self.base_path,
                self.username,
                self.password,
                self.insecure,
                self.authority,
                self.mirrors,
            )
        )


@lru_cache(maxsize=16)
def settings_of(spec: Spec) -> tuple[Settings, ...]:
    """The settings of each image registry that a file describes."""
    block = image_registry(spec)
    own = (_of_block(block),) if block else ()
    return (*own, *settings_of_secrets(spec))


@lru_cache(maxsize=16)
def settings_of_secrets(spec: Spec) -> tuple[Settings, ...]:
    """Those that stand in the registry-info Secret."""
    return tuple(map(_of_secret, secrets(spec)))


def entries(spec: Spec, settings: Settings) -> tuple[Located, ...]:
    """The entries of the list of mirrors, each at its own place where that is known."""
    found = settings.mirrors
    return encoded(found.node, found.text) if found.is_encoded else located(spec, found.node)


def decoded(text: str) -> str | None:
    """The text behind base64 as a Secret's ``data`` has it; None when it is not base64, or of something that is no text.

    Go's JSON decoder takes the standard alphabet with padding, and skips line breaks.
    Source: kubernetes/api v0.27.4 core/v1/types.go, ``Secret.Data``; golang/go encoding/base64, ``StdEncoding``.
    """
    try:
        return base64.b64decode(text.translate(_NO_BREAKS), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _of_block(block: Node) -> Settings:
    def setting(name: str) -> Setting:
        node = block.get(name)
        if isinstance(node.value, bool):
            return Setting(name, node, str(node.value).lower())
        return Setting(name, node, node.string(), node.kind in ("scalar", "absent"))

    return Settings(
        "values",
        block,
        endpoint=setting("endpoint"),
        base_path=setting("baseContentPath"),
        username=setting("username"),
        password=setting("password"),
        insecure=setting("insecureSkipVerify"),
        authority=setting("caCert"),
        mirrors=setting("mirrorRegistries"),
    )


def _of_secret(secret: Node) -> Settings:
    def setting(name: str) -> Setting:
        plain, data = secret.get("stringData", name), secret.get("data", name)
        if plain or not data:  # what stands in stringData replaces what stands in data
            is_text = plain.is_null() or isinstance(plain.value, str)
            return Setting(name, plain, plain.string(), is_text)
        is_text = data.is_null() or isinstance(data.value, str)
        text = decoded(data.string()) if is_text else None
        return Setting(name, data, text or "", text is not None, is_encoded=True)

    return Settings(
        "secret",
        secret.get("stringData") or secret.get("data") or secret,
        endpoint=setting("DOMAIN"),
        base_path=setting("BASE_PATH"),
        username=setting("USERNAME"),
        password=setting("PASSWORD"),
        insecure=setting("INSECURE"),
        authority=setting("CA_CERT"),
        mirrors=setting("MIRROR_REGISTRIES"),
    )
