"""The palette chart's registries of packs, its file server, and the pull secrets of the charts."""

from __future__ import annotations

import json
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.palette.blocks import (
    blocks,
    decoded,
    is_private_ecr,
    is_public_ecr,
    pull_secrets,
)
from planner.specs.palette.documents import config, dotted
from planner.specs.palette.mirrors import without_scheme
from planner.specs.palette.placeholders import is_unfilled
from planner.specs.palette.settings import settings_of

_PACKS = "spectro-packs"


@rule("PAL030")
def not_base64(spec: Spec) -> Iterator[Hit]:
    """A value that must be base64 is not.

    The password of ``ociImageRegistry`` is written as it is; those of the other registries, the keys of ECR, and the user of
    ``scar`` are base64. Many a plain password can be read as base64, too: it is a warning where no text comes out.
    ``dockerConfigJson`` is base64 of a whole ``config.json`` on one line.

    Source: spectrocloud/librarium 022efad .../install-on-kubernetes/palette-helm-ref.md and 02df8c8 .../vertex-helm-ref.md.

    Bad:
        config:
          ociPackRegistry:
            endpoint: https://harbor.example.org
            username: robot
            password: p@ss word  # <- PAL030

    Good:
        config:
          ociPackRegistry:
            endpoint: https://harbor.example.org
            username: robot
            password: cEBzcyB3b3Jk
    """
    nodes = [block.node.get(key) for block in blocks(spec) for key in block.encoded]
    nodes.extend(secret.get("dockerConfigJson") for secret in pull_secrets(spec))
    for node in nodes:
        text = node.string()
        if not text or is_unfilled(text):
            continue
        content, name = decoded(text), dotted(node.path)
        hint = "printf '%s' … | base64 -w0"
        if content is None:
            yield Hit(node, f"{name} must be base64, on one line", hint)
        elif not _is_text(content):
            message = f"{name} seems to be written as it is: behind it, as base64, there is no text"
            yield Hit(node, message, hint, severity=Severity.WARNING)


@rule("PAL031")
def dockerconfig_shape(spec: Spec) -> Iterator[Hit]:
    """The pull secret's text is no Docker configuration.

    It must be a JSON object with an object ``auths``, in which each registry has credentials. The API server refuses a Secret
    whose text is no JSON object; without ``auths``, the kubelet finds no credentials and pulls as nobody.

    Source: kubernetes/kubernetes v1.32.0 pkg/apis/core/validation/validation.go ``ValidateSecret``
    (``kubernetes.io/dockerconfigjson``); pkg/credentialprovider/config.go ``DockerConfigJSON``.

    Bad:
        global:
          imagePullSecret:
            create: true
            dockerConfigJson: eyJoYXJib3IuZXhhbXBsZS5vcmciOnt9fQ==  # <- PAL031

    Good:
        global:
          imagePullSecret:
            create: true
            dockerConfigJson: eyJhdXRocyI6eyJoYXJib3IuZXhhbXBsZS5vcmciOnsiYXV0aCI6IlkyOWtaVHB3WVhOeiJ9fX0=
    """
    for secret in pull_secrets(spec):
        node = secret.get("dockerConfigJson")
        content = decoded(node.string()) if node.string() else None
        if content is not None and (problem := _docker_problem(content)):
            yield Hit(node, f"{dotted(node.path)} {problem}", "base64 -w0 ~/.docker/config.json")
        elif content is not None and not json.loads(content)["auths"]:
            message = f"{dotted(node.path)} names no registry, so it helps with none"
            yield Hit(node, message, "log in first", severity=Severity.WARNING)


@rule("PAL032", Severity.WARNING)
def pack_registry_exclusive(spec: Spec) -> Iterator[Hit]:
    """Not exactly one registry of packs is configured.

    Palette needs ``ociPackRegistry`` or ``ociPackEcrRegistry``. Which one it takes of two is not documented. Having none is
    reported for ``installationMode: airgap``, where the public registry is out of reach.

    Source: spectrocloud/librarium 022efad .../install-on-kubernetes/palette-helm-ref.md (one of the two is required).

    Bad:
        config:
          ociPackRegistry:
            endpoint: harbor.example.org
          ociPackEcrRegistry:
            endpoint: public.ecr.aws/a1b2c3d4  # <- PAL032
            isPrivate: false

    Good:
        config:
          ociPackEcrRegistry:
            endpoint: public.ecr.aws/a1b2c3d4
            isPrivate: false
    """
    home = config(spec)
    one, other = (home.get(name, "endpoint") for name in ("ociPackRegistry", "ociPackEcrRegistry"))
    if one.string() and other.string():
        message = (
            "two registries of packs are configured, and it is not documented which one counts"
        )
        yield Hit(other, message, "leave one of them out", related=((one, "the other one"),))
    mode = home.get("installationMode")
    if mode.string() == "airgap" and not one.string() and not other.string():
        yield Hit(mode, "an airgap installation needs ociPackRegistry or ociPackEcrRegistry")


@rule("PAL033", Severity.WARNING)
def ecr_visibility(spec: Spec) -> Iterator[Hit]:
    """``isPrivate`` does not fit to the kind of ECR registry, or a private one has no keys.

    ``public.ecr.aws`` is public; ``ACCOUNT.dkr.ecr.REGION.amazonaws.com`` always asks for a login. The default is true.

    Source: spectrocloud/librarium 02df8c8 .../airgap-install/eks-ecr-airgap-install.md (both variants).

    Bad:
        config:
          ociPackEcrRegistry:
            endpoint: public.ecr.aws/a1b2c3d4
            isPrivate: true  # <- PAL033

    Good:
        config:
          ociPackEcrRegistry:
            endpoint: public.ecr.aws/a1b2c3d4
            isPrivate: false
    """
    block = config(spec).get("ociPackEcrRegistry")
    endpoint, switch = without_scheme(block.get("endpoint").string()), block.get("isPrivate")
    is_private = switch.value is not False
    blamed = switch or block.get("endpoint")
    if is_public_ecr(endpoint) and is_private:
        yield Hit(
            blamed, f"{endpoint} is a public registry, but isPrivate is true", "set it to false"
        )
    elif is_private_ecr(endpoint) and not is_private:
        yield Hit(blamed, f"{endpoint} always asks for a login, but isPrivate is false")
    elif is_private_ecr(endpoint) and not _has_login(block):
        yield Hit(blamed, "a private registry needs accessKey and secretKey", "set both, in base64")
    elif endpoint and not (
        is_public_ecr(endpoint) or is_private_ecr(endpoint) or is_unfilled(endpoint)
    ):
        message = f"{endpoint} is not on Amazon ECR"
        yield Hit(block.get("endpoint"), message, "use ociPackRegistry for other registries")


@rule("PAL034", Severity.WARNING)
def base_path_repeats_spectro_packs(spec: Spec) -> Iterator[Hit]:
    """The path of packs already holds ``spectro-packs``, which Palette appends.

    It then asks for ``…/spectro-packs/spectro-packs/archive/…``. Older examples of the documentation do set it.

    Source: spectrocloud/librarium _partials/_oci-packs-registry-configuration-by-provider.mdx (``spectro-packs`` is appended).

    Bad:
        config:
          ociPackRegistry:
            endpoint: https://harbor.example.org
            baseContentPath: spectro-packs  # <- PAL034

    Good:
        config:
          ociPackRegistry:
            endpoint: https://harbor.example.org
            baseContentPath: ""
    """
    for block in blocks(spec):
        for key in ("endpoint", "baseContentPath") if block.name != "scar" else ():
            node = block.node.get(key)
            steps = without_scheme(node.string()).strip("/").split("/")
            if steps[-1] == _PACKS:
                message = f"Palette appends {_PACKS} to the path, which then has it twice"
                yield Hit(node, message, "leave it out here, unless the repositories lie there")


@rule("PAL035", Severity.WARNING)
def image_registry_ecr_private(spec: Spec) -> Iterator[Hit]:
    """The registry of images is a private one on Amazon ECR.

    Its logins are tokens that end after twelve hours, and nothing renews one that stands in a file: from then on nodes cannot
    pull. There is no variant of the block for ECR, as there is for packs; the guide for ECR asks for a public repository.

    Source: spectrocloud/librarium 02df8c8 .../airgap-install/eks-ecr-airgap-install.md; validator-labs/validatorctl 34285c6
    pkg/repo, OCIRegistry (ECR is not supported for images); Amazon ECR user guide, "Private registry authentication".

    Bad:
        config:
          ociImageRegistry:
            endpoint: 123456789012.dkr.ecr.us-east-1.amazonaws.com  # <- PAL035

    Good:
        config:
          ociImageRegistry:
            endpoint: public.ecr.aws/a1b2c3d4
    """
    for settings in settings_of(spec):
        if is_private_ecr(without_scheme(settings.endpoint.text.strip())):
            message = "tokens of a private ECR registry end after 12 hours, and nothing renews them"
            yield Hit(
                settings.endpoint.node, message, "use a public repository, or another registry"
            )


def _is_text(content: bytes) -> bool:
    try:
        return content.decode().rstrip("\n").isprintable()
    except UnicodeDecodeError:
        return False


def _has_login(block: Node) -> bool:
    named = ("accessKey", "secretKey", "credentialType")
    return any(block.get(key).string() for key in named)


def _docker_problem(content: bytes) -> str:
    try:
        value = json.loads(content)
    except ValueError:
        return "is base64, but not of JSON"
    if not isinstance(value, dict) or not isinstance(value.get("auths"), dict):
        return "has no object auths, so nothing finds credentials in it"
    return ""
