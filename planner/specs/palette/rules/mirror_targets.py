"""The list of mirrors: how its targets are written."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.edits import Fix
from planner.core.lint import Hit, Severity, rule
from planner.core.refs import looks_like_registry, name_problem
from planner.specs.palette.lists import MirrorList, mirror_lists, respelt
from planner.specs.palette.mirrors import Located, has_api, shown, without_scheme

_API = "v2"


@rule("PAL060")
def mirror_target_scheme(spec: Spec) -> Iterator[Hit]:
    """A target begins with a scheme.

    The webhook writes the target into the name of the image, and a name with ``https://`` is refused. containerd takes a
    scheme, and https without one, so that in the Secret it is a warning: the two lists should be equal.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``swap_image``; containerd/containerd 301026e
    internal/cri/server/images/image_pull.go ``addDefaultScheme``.

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::https://harbor.example.org/images/docker.io  # <- PAL060

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io

    Fixed:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io
    """
    for found, each in _targets(spec):
        target = each.entry.target
        if "://" in target:
            is_webhook = found.settings.feeds_webhook
            what = (
                "the webhook makes no image name of it" if is_webhook else "the webhook takes none"
            )
            fix = _retargeted(each, without_scheme(target))
            severity = None if is_webhook else Severity.WARNING
            hint = f"write {shown(without_scheme(target))}"
            yield Hit(
                each.node, f"{shown(target)} has a scheme: {what}", hint, severity=severity, fix=fix
            )


@rule("PAL061")
def mirror_target_format(spec: Spec) -> Iterator[Hit]:
    """A target is not the beginning of an image name.

    The webhook puts the rest of the image's name behind it: a host with a dot or a port, then a lower-case path, and neither
    a tag nor a digest nor a slash at its end.

    Source: distribution/reference reference.go (grammar); phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py
    ``swap_image``.

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/Images/docker.io  # <- PAL061

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io

    Fixed:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io
    """
    for _, each in _targets(spec):
        target = without_scheme(each.entry.target)
        if problem := _target_problem(target):
            better = _tidied(target)
            is_better = better != target and not _target_problem(better)
            hint = f"write {better}" if is_better else ""
            fix = _retargeted(each, better) if is_better else None
            message = f"the target {shown(target)!r} begins no image name: {problem}"
            yield Hit(each.node, message, hint, fix=fix)


@rule("PAL065", Severity.WARNING)
def v2_in_target(spec: Spec) -> Iterator[Hit]:
    """A target has ``/v2`` in it.

    The webhook takes it for a part of the image's name, and the runtime then asks for ``/v2/v2/…``. containerd needs it, as
    the first part of the path, for a mirror with a path: Palette's guides have said both. So the values of the image-swap
    chart need the list without it; a Harbor proxy cache that only nodes use may have it. ``/v2`` elsewhere in the path is
    right for nobody.

    Source: phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``swap_image``; containerd/containerd 301026e
    internal/cri/server/images/image_pull.go ``registryHosts``; spectrocloud/librarium 02df8c8
    docs/docs-content/vertex/system-management/registry-override.md (the note on proxy caches).

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/v2/images/docker.io  # <- PAL065

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io
    """
    for found, each in _targets(spec):
        steps = without_scheme(each.entry.target).split("/")[1:]
        if _API in steps[1:]:
            message = f"/{_API} is not the first part of the path of {shown(each.entry.target)}: no registry answers there"
            yield Hit(each.node, message, "take it out", severity=Severity.ERROR)
        elif has_api(each.entry.target) and found.settings.feeds_webhook:
            message = f"the webhook makes /{_API} a part of image names, and nodes ask for /{_API}/{_API}/…"
            hint = (
                "leave it out, unless only the palette chart reads these values, and not image-swap"
            )
            yield Hit(each.node, message, hint)


@rule("PAL066", Severity.WARNING)
def v2_mixed(spec: Spec) -> Iterator[Hit]:
    """Some targets have ``/v2`` in front of their paths, and others have not.

    Whoever reads the list, one of the two forms is wrong for it.

    Source: containerd/containerd 301026e internal/cri/server/images/image_pull.go ``registryHosts``;
    phenixblue/imageswap-webhook d45185b app/imageswap/imageswap.py ``swap_image``.

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          MIRROR_REGISTRIES: docker.io::harbor.example.org/v2/a/hub,quay.io::harbor.example.org/a/quay  # <- PAL066

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          MIRROR_REGISTRIES: docker.io::harbor.example.org/v2/a/hub,quay.io::harbor.example.org/v2/a/quay
    """
    for found in mirror_lists(spec):
        paths = [each for each in found.mirrors if "/" in without_scheme(each.entry.target)]
        with_api = [each for each in paths if has_api(each.entry.target)]
        without = [each for each in paths if not has_api(each.entry.target)]
        if with_api and without:
            odd, other = (
                (with_api, without) if len(with_api) <= len(without) else (without, with_api)
            )
            has = "has" if odd is with_api else "has no"
            message = f"the target of {odd[0].entry.source} {has} /{_API}, unlike that of {other[0].entry.source}"
            yield Hit(odd[0].node, message, related=((other[0].node, "unlike this one"),))


@rule("PAL068", Severity.INFO)
def target_path_without_v2(spec: Spec) -> Iterator[Hit]:
    """A target of the Secret has a path without ``/v2``.

    As far as is known, the Secret becomes the older form of containerd's mirrors, which puts ``/v2`` only behind a host
    without a path: nodes ask for ``https://host/path/library/nginx/manifests/…``, which is no registry's API, and then go on
    to the public registry. The webhook rewrites most names before, and its targets need no ``/v2``. Palette's newest pages
    leave it out.

    Source: containerd/containerd 301026e internal/cri/server/images/image_pull.go ``registryHosts``; spectrocloud/librarium
    0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md (step "Validate").

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          MIRROR_REGISTRIES: docker.io::harbor.example.org/images/docker.io  # <- PAL068

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          MIRROR_REGISTRIES: docker.io::harbor.example.org/v2/images/docker.io
    """
    for found in mirror_lists(spec):
        if found.settings.feeds_webhook:
            continue
        paths = [each for each in found.mirrors if "/" in each.entry.plain_target]
        if paths and not any(has_api(each.entry.target) for each in paths):
            message = f"containerd probably asks {shown(paths[0].entry.target)}/… without /v2, where no registry answers"
            yield Hit(found.node, message, "try crictl pull on a node", on_key=True)


def _targets(spec: Spec) -> Iterator[tuple[MirrorList, Located]]:
    return ((found, each) for found in mirror_lists(spec) for each in found.mirrors)


def _target_problem(target: str) -> str:
    """Why nothing can be put behind a target (without its scheme) to make an image name; empty when it can."""
    host, slash, path = target.partition("/")
    name, at, digest = path.partition("@")
    if "@" in host:
        return "it holds credentials"
    if at and digest:
        return "it has a digest"
    if ":" in name:
        return "it has a tag"
    if target.endswith("/"):
        return "it ends in a slash"
    if "//" in target:
        return "it has two slashes"
    if problem := name_problem(host, path if slash else "repository"):
        return problem
    return "" if looks_like_registry(host) else f"{host!r} is no host"


def _tidied(target: str) -> str:
    """``"Host//Path/"`` → ``host/path``, a ``/v2`` kept."""
    steps = [each for each in target.strip("\"'").lower().split("/") if each]
    return "/".join(steps)


def _retargeted(each: Located, target: str) -> Fix | None:
    old = each.entry.target
    return respelt(each, len(each.entry.text) - len(old), old, target)
