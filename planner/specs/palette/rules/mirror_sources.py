"""The list of mirrors: its sources."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.palette.hosts import DOCKER_HUB, HUB_ALIASES, RECOMMENDED, meant_host
from planner.specs.palette.lists import MirrorList, keyword, mirror_lists, respelt
from planner.specs.palette.mirrors import SEPARATOR, Located, without_scheme

_ANY = "*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::\d{{1,5}})?|\[[0-9A-Fa-f:]+\](?::\d{{1,5}})?")


@rule("PAL055")
def mirror_source_format(spec: Spec) -> Iterator[Hit]:
    """A source is not the bare name of a host, so no image matches it.

    The webhook compares it with the text before the first slash of an image, containerd with the host; both as they are
    written, in lower case. A name without a dot is no host to the webhook. ``*`` is one for containerd only: every host
    without an entry.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``swap_image``; containerd/containerd 301026e
    internal/cri/server/images/image_pull.go ``registryEndpoints``.

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: gcr.io/spectro-images-public::harbor.example.org/images/gcr.io  # <- PAL055

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: gcr.io::harbor.example.org/images/gcr.io

    Fixed:
        config:
          ociImageRegistry:
            mirrorRegistries: gcr.io::harbor.example.org/images/gcr.io
    """
    for found in mirror_lists(spec):
        for each in found.mirrors:
            source = each.entry.source
            if problem := _source_problem(source):
                bare = without_scheme(source).partition("/")[0].lower()
                is_host = bare not in _sources(found) and not _source_problem(bare)
                hint = f"write {bare}" if is_host else ""
                fix = respelt(each, 0, source, bare) if is_host else None
                message = f"no image matches the source {source!r}: {problem}"
                yield Hit(each.node, message, hint, fix=fix)
            elif "." not in source and source != _ANY:
                message = f"no image matches the source {source!r} in the webhook: it has no dot"
                yield Hit(each.node, message, severity=Severity.WARNING)


@rule("PAL056", Severity.WARNING)
def mirror_source_unknown(spec: Spec) -> Iterator[Hit]:
    """A source is nearly, but not quite, the name of a well-known registry.

    No image comes from there, and those of the registry that was meant are not redirected. An announcement of Palette itself
    has ``grc.io``.

    Source: spectrocloud/librarium docs/docs-content/release-notes/announcements.md (the slip).

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: grc.io::harbor.example.org/images/gcr.io  # <- PAL056

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: gcr.io::harbor.example.org/images/gcr.io

    Fixed:
        config:
          ociImageRegistry:
            mirrorRegistries: gcr.io::harbor.example.org/images/gcr.io
    """
    for found in mirror_lists(spec):
        for each in found.mirrors:
            source = each.entry.source
            if meant := meant_host(source):
                message = f"{source} is no registry of images that is known; {meant} is"
                fix = None if meant in _sources(found) else respelt(each, 0, source, meant)
                yield Hit(each.node, message, f"did you mean {meant}?", fix=fix)


@rule("PAL057")
def mirror_duplicate_source(spec: Spec) -> Iterator[Hit]:
    """A source stands in the list twice.

    For the webhook the last one wins. For the nodes, a table of containerd's configuration is then written twice: TOML forbids
    that, and containerd does not start. ``index.docker.io`` is another name of Docker Hub for containerd, which knows it as
    ``docker.io`` only, and an unrelated one for the webhook.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map``; TOML 1.0.0, "Table";
    distribution/reference normalize.go.

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/a/hub,docker.io::harbor.example.org/b/hub  # <- PAL057

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/a/hub
    """
    for found in mirror_lists(spec):
        seen: dict[str, Located] = {}
        for each in found.mirrors:
            source = each.entry.source
            known = DOCKER_HUB if source in HUB_ALIASES else source
            if (first := seen.setdefault(known, each)) is each:
                continue
            if first.entry.source == source:
                message = f"{source} stands here twice: containerd cannot read such a configuration"
                severity = None
            else:
                message = f"{source} and {first.entry.source} are both Docker Hub, and treated differently"
                severity = Severity.WARNING
            related = ((first.node, "first here"),)
            yield Hit(each.node, message, "leave one out", severity=severity, related=related)


@rule("PAL058")
def mirror_keyword(spec: Spec) -> Iterator[Hit]:
    """A source is a keyword of the webhook's map file.

    The list has no such thing: it goes to the nodes as well, where containerd would get a mirror of a host called
    ``default``. And ``noswap_wildcards`` takes a list with commas of its own, which the commas of this one cut.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``build_swap_map``; spectrocloud/librarium 0ccbe0e
    docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md (one list for both).

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: default::harbor.example.org/images  # <- PAL058

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io
    """
    for found in mirror_lists(spec):
        for each in found.entries:
            source = each.entry.source or each.entry.text.partition(SEPARATOR)[0]
            if word := keyword(source):
                message = f"{word} is a keyword of image-swap's map file: for containerd it is a host's name"
                yield Hit(each.node, message, "list registries only")


@rule("PAL059", Severity.WARNING)
def missing_recommended_source(spec: Spec) -> Iterator[Hit]:
    r"""A registry from which Palette's clusters take images has no entry.

    Its images are not redirected: nodes ask the registry itself. Palette's own come from ``us-docker.pkg.dev`` since 4.5.3,
    those of older releases from ``gcr.io`` and ``us-east1-docker.pkg.dev``.

    Source: spectrocloud/librarium 0f4d328 _partials/self-hosted/kubernetes-install/_kubernetes-install-image-swap.mdx (comment
    of the chart); validator-labs/validatorctl 34285c6 pkg/config/constants.go RegistryMirrors.

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io  # <- PAL059

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: "docker.io::harbor.example.org/i/docker.io,gcr.io::harbor.example.org/i/gcr.io,\
              ghcr.io::harbor.example.org/i/ghcr.io,k8s.gcr.io::harbor.example.org/i/k8s.gcr.io,\
              registry.k8s.io::harbor.example.org/i/registry.k8s.io,quay.io::harbor.example.org/i/quay.io,\
              us-docker.pkg.dev::harbor.example.org/i/us-docker.pkg.dev"
    """
    for found in mirror_lists(spec):
        sources = {each.entry.source for each in found.pairs}
        lacking = [each for each in RECOMMENDED if each not in sources]
        if sources and lacking and _ANY not in sources:
            message = f"not redirected: {', '.join(lacking)}"
            yield Hit(found.node, message, "add what your clusters take images from", on_key=True)


def _sources(found: MirrorList) -> frozenset[str]:
    return frozenset(each.entry.source for each in found.entries)


def _source_problem(source: str) -> str:
    if source == _ANY:
        return ""
    if "://" in source:
        return "it has a scheme"
    if "/" in source:
        return "it has a path"
    if source != source.lower():
        return "it has upper-case letters"
    return "" if _HOST.fullmatch(source) else "it is not a host"
