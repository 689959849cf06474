"""The list of mirrors: what its targets are to each other, and to the registry."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.palette.hosts import address_problem
from planner.specs.palette.lists import MirrorList, mirror_lists
from planner.specs.palette.mirrors import Located, host_of, plain_target
from planner.specs.palette.placeholders import is_unfilled


@rule("PAL062")
def mirror_chain(spec: Spec) -> Iterator[Hit]:
    """The host of a target is a source itself.

    The webhook is called again when a pod is changed, and redirects what it has redirected before: the path grows each time.
    The same happens to images that are named rightly from the start, when the private registry itself is a source.

    Source: phenixblue/imageswap-webhook d45185b deploy/manifests/imageswap-mwc.yaml (CREATE and UPDATE, IfNeeded).

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: harbor.example.org::harbor.example.org/images  # <- PAL062

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io
    """
    for found in mirror_lists(spec):
        hosts = {each.entry.host: each for each in reversed(found.mirrors)}
        own = host_of(found.settings.endpoint.text.strip())
        for each in found.mirrors:
            source = each.entry.source
            if source in hosts:
                target = hosts[source].entry.plain_target
                message = f"{source} is a source, and {target} is a target there: its images are redirected twice"
                yield Hit(each.node, message, f"leave {source} out")
            elif source and source == own:
                message = f"{source} is the private registry itself: images that are there already are redirected"
                yield Hit(each.node, message, f"leave {source} out")


@rule("PAL063", Severity.WARNING)
def mirror_shared_target(spec: Spec) -> Iterator[Hit]:
    """Two sources have one target.

    Images of the same name from both then lie in one repository, and whichever is copied last is what everybody gets:
    ``gcr.io/pause:3.9`` and ``k8s.gcr.io/pause:3.9``, for example. An example of Palette's guide does so.

    Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (gcr.io and k8s.gcr.io); 02df8c8 docs/docs-content/vertex/system-management/registry-override.md (one folder for each).

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/hub,quay.io::harbor.example.org/images/hub  # <- PAL063

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: docker.io::harbor.example.org/images/hub,quay.io::harbor.example.org/images/quay
    """
    for found in mirror_lists(spec):
        seen: dict[str, Located] = {}
        for each in found.mirrors:
            first = seen.setdefault(each.entry.plain_target, each)
            if first.entry.source != each.entry.source:
                message = f"{first.entry.source} and {each.entry.source} are both sent to {each.entry.plain_target}"
                related = ((first.node, "first here"),)
                yield Hit(
                    each.node, message, "give each source a folder of its own", related=related
                )


@rule("PAL064", Severity.WARNING)
def mirror_nested_target(spec: Spec) -> Iterator[Hit]:
    """A target lies inside of another one.

    An image of the outer source whose path begins like the inner folder is then sent to the place of another image.

    Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (us-docker.pkg.dev is sent to the folder that holds all others).

    Bad:
        config:
          ociImageRegistry:
            mirrorRegistries: us-docker.pkg.dev::harbor.example.org/images,gcr.io::harbor.example.org/images/gcr.io  # <- PAL064

    Good:
        config:
          ociImageRegistry:
            mirrorRegistries: us-docker.pkg.dev::harbor.example.org/images/us,gcr.io::harbor.example.org/images/gcr.io
    """
    for found in mirror_lists(spec):
        targets = [(each.entry.plain_target, each) for each in found.mirrors]
        for outer, each in targets:
            inner = [other for target, other in targets if target.startswith(f"{outer}/")]
            if inner:
                names = ", ".join(dict.fromkeys(other.entry.source for other in inner))
                message = f"{each.entry.source} is sent to {outer}, within which lies what comes from {names}"
                related = tuple((other.node, "inside of it") for other in inner)
                yield Hit(
                    each.node, message, "give each source a folder of its own", related=related
                )


@rule("PAL067")
def target_outside_registry(spec: Spec) -> Iterator[Hit]:
    """A target is not below the registry and the base path that stand beside the list.

    Credentials and certificate authority are those of the endpoint's host, so nodes ask another host without them; and
    Palette's installer puts all images below the base path.

    Source: containerd/containerd 301026e internal/cri/server/images/image_pull.go (``Configs[u.Host]``);
    spectrocloud/librarium 02df8c8 .../airgap-install/eks-ecr-airgap-install.md (where the copies go).

    Bad:
        config:
          ociImageRegistry:
            endpoint: harbor.example.org
            baseContentPath: images
            mirrorRegistries: docker.io::harbor.example.com/images/docker.io  # <- PAL067

    Good:
        config:
          ociImageRegistry:
            endpoint: harbor.example.org
            baseContentPath: images
            mirrorRegistries: docker.io::harbor.example.org/images/docker.io
    """
    for found in mirror_lists(spec):
        home = _home(found)
        outside = [each for each in found.mirrors if home and not _lies_below(each, home)]
        related = ((found.settings.endpoint.node, "the registry"),)
        if len(outside) > 1 and len(outside) == len(found.mirrors):
            message = f"no target is below {home}, where the images are"
            hint = "correct the targets, or the address and the path of the registry"
            yield Hit(found.node, message, hint, related=related)
            continue
        for each in outside:
            message = f"{each.entry.plain_target} is not below {home}, where the images are"
            better = f"{home}/{each.entry.source}"
            hint = f"send it to {better}" if better.isprintable() else ""
            yield Hit(each.node, message, hint, related=related)


def _home(found: MirrorList) -> str:
    """``endpoint/base``; empty when it is not known."""
    endpoint, base = found.settings.endpoint.text.strip(), found.settings.base_path.text.strip()
    is_known = (
        endpoint and found.settings.endpoint.is_readable and not is_unfilled(f"{endpoint} {base}")
    )
    home = plain_target(f"{endpoint}/{base}") if is_known else ""
    # What can be no address is a mistake of its own, and may hold credentials, which no message may show.
    is_usable = "@" not in endpoint and not address_problem(home.lower())
    return home if is_usable else ""


def _lies_below(each: Located, home: str) -> bool:
    return f"{each.entry.plain_target}/".lower().startswith(f"{home}/".lower())
