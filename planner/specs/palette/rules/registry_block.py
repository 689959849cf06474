"""Address and credentials of a registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from planner.core.document import Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import rewritten
from planner.core.refs import name_problem
from planner.specs.palette.blocks import blocks
from planner.specs.palette.documents import dotted, image_registry
from planner.specs.palette.hosts import address_problem
from planner.specs.palette.mirrors import without_scheme
from planner.specs.palette.placeholders import is_unfilled
from planner.specs.palette.settings import Setting, settings_of

_BLANK = re.compile(r"\s")
_ANY_HOST = "registry.example.com"
_SCHEMES = ("", "http", "https")


@rule("PAL020")
def endpoint_format(spec: Spec) -> Iterator[Hit]:
    """An endpoint is not written as a registry's address.

    That of images is ``host[:port]``, with a path at most: it becomes the beginning of image names and the key of credentials,
    and neither has a scheme or a slash at its end. (Spectro Cloud's own command line strips both, and ``/v2``; whether the
    charts do is not known.) Pack registries and the file server may have ``https://``.

    Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (all examples); validator-labs/validatorctl 34285c6 pkg/services, ReadOCIRegistry (what it strips).

    Bad:
        config:
          ociImageRegistry:
            endpoint: https://harbor.example.org/  # <- PAL020

    Good:
        config:
          ociImageRegistry:
            endpoint: harbor.example.org

    Fixed:
        config:
          ociImageRegistry:
            endpoint: harbor.example.org
    """
    node = image_registry(spec).get("endpoint")
    text = node.string()
    if text.strip() and not is_unfilled(text):
        bare = _bare(text)
        problem = address_problem(bare)
        hint = f"write {bare}"
        if problem:
            yield Hit(node, f"the endpoint {problem}", "HOST[:PORT]")
        elif _BLANK.search(text):
            message = "the endpoint has a blank in it, which belongs to no name"
            yield Hit(node, message, hint, fix=rewritten(spec, node, bare))
        elif bare != bare.lower():
            message = f"{bare} has upper-case letters, and hosts are compared letter by letter"
            fix = rewritten(spec, node, bare.lower())
            hint = f"write {bare.lower()}"
            yield Hit(node, message, hint, severity=Severity.WARNING, fix=fix)
        elif bare != text:
            yield Hit(
                node,
                f"{text!r} is more than HOST[:PORT]: image names and targets do not begin like this",
                hint,
                severity=Severity.WARNING,
                fix=rewritten(spec, node, bare),
            )
    for block in blocks(spec):
        if problem := _url_problem(block.endpoint):
            yield Hit(block.node.get("endpoint"), f"the endpoint of {block.name} {problem}")


@rule("PAL021")
def base_path_format(spec: Spec) -> Iterator[Hit]:
    """A base path is not the beginning of a repository's name.

    It becomes one: ``endpoint/baseContentPath/…``. Repositories are lower-case, and their parts are joined by single slashes.

    Source: distribution/reference reference.go (grammar); spectrocloud/librarium 02df8c8 .../eks-ecr-airgap-install.md
    (``palette/spectro-images``: several parts are fine).

    Bad:
        config:
          ociImageRegistry:
            baseContentPath: Spectro-Images  # <- PAL021

    Good:
        config:
          ociImageRegistry:
            baseContentPath: palette/spectro-images

    Fixed:
        config:
          ociImageRegistry:
            baseContentPath: spectro-images
    """
    for setting in _base_paths(spec):
        plain = setting.text.strip("/")
        if not plain or is_unfilled(plain):
            continue
        fix = None if setting.is_encoded else rewritten(spec, setting.node, plain.lower())
        if problem := name_problem(_ANY_HOST, plain):
            message = f"{setting.name} begins no image name: {problem}"
            yield Hit(setting.node, message, _lower(plain), fix=fix)
        elif plain.split("/")[0] == "v2":
            message = f"{setting.name} begins with v2, which belongs to the registry's API: no repository is called so"
            hint = "leave v2 out"
            yield Hit(setting.node, message, hint, severity=Severity.WARNING)
        elif plain != setting.text:
            message = f"{setting.name} is {setting.text!r}: nothing is known to strip the slashes"
            severity = Severity.WARNING
            yield Hit(setting.node, message, f"write {plain}", severity=severity, fix=fix)


@rule("PAL022")
def credential_pair(spec: Spec) -> Iterator[Hit]:
    """One half of a login is given, the other is not.

    Registries take a user and a password together; both empty means anonymous.

    Source: containerd/containerd 301026e internal/cri/server/images/image_pull.go (``ParseAuth``); spectrocloud/librarium
    0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md (table of parameters).

    Bad:
        config:
          ociImageRegistry:
            username: robot  # <- PAL022
            password: ""

    Good:
        config:
          ociImageRegistry:
            username: ""
            password: ""
    """
    for settings in settings_of(spec):
        yield from _half(settings.username, settings.password)
    for block in blocks(spec):
        user, word = (
            Setting(key, block.node.get(key), block.node.get(key).string())
            for key in block.credentials
        )
        yield from _half(user, word)


@rule("PAL023", Severity.INFO)
def plaintext_credential(spec: Spec) -> Iterator[Hit]:
    """A password stands in the values.

    Everybody who can read the file can read it: base64, which some of the blocks want, hides nothing. Helm takes the value from
    another file, or from ``--set``, just as well.

    Source: spectrocloud/librarium 022efad .../install-on-kubernetes/palette-helm-ref.md (which values are base64); helm/helm
    v3.17.0 pkg/cli/values/options.go (several files are merged).

    Bad:
        config:
          ociImageRegistry:
            username: robot
            password: s3cret  # <- PAL023

    Good:
        config:
          ociImageRegistry:
            username: ""
            password: ""
    """
    found = [image_registry(spec).get("password")]
    found.extend(block.node.get(block.credentials[1]) for block in blocks(spec))
    for node in found:
        if node.string() and not is_unfilled(node.string()):
            message = f"{dotted(node.path)} is readable for everybody who can read the file"
            yield Hit(node, message, "keep it in a values file of its own, out of version control")


def _base_paths(spec: Spec) -> Iterator[Setting]:
    """That of each registry; blanks around that of a Secret are its own rule's business."""
    for settings in settings_of(spec):
        setting = settings.base_path
        is_secret = settings.place == "secret"
        yield replace(setting, text=setting.text.strip()) if is_secret else setting
    for block in blocks(spec):
        node = block.node.get("baseContentPath")
        yield Setting(dotted(node.path), node, node.string())


def _bare(text: str) -> str:
    """``https://user@host/v2/`` → ``host``."""
    bare = without_scheme(text.strip()).rstrip("/")
    return bare.removesuffix("/v2").rstrip("/")


def _url_problem(text: str) -> str:
    if not text or is_unfilled(text):
        return ""
    if _BLANK.search(text):
        return "has a blank in it"
    scheme = text.partition("://")[0] if "://" in text else ""
    if scheme not in _SCHEMES:
        return f"has the scheme {scheme!r}, not http or https"
    return "" if without_scheme(text).strip("/") else "names no host"


def _half(user: Setting, word: Setting) -> Iterator[Hit]:
    if user.is_readable and word.is_readable and bool(user.text) != bool(word.text):
        given, lacking = (user, word) if user.text else (word, user)
        message = (
            f"{given.name} is set and {lacking.name} is not: the registry will refuse the login"
        )
        yield Hit(given.node, message, f"set {lacking.name}, or leave both empty")


def _lower(path: str) -> str:
    lower = path.lower()
    return "" if name_problem(_ANY_HOST, lower) else f"write {lower}"
