"""What makes a Secret the one that Palette reads: its identity, and the settings that it cannot do without."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.gourl import split_port
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import rewritten
from planner.core.refs import name_problem
from planner.specs.palette.blocks import is_public_ecr
from planner.specs.palette.documents import SECRET_NAME, secrets
from planner.specs.palette.placeholders import placeholder
from planner.specs.palette.settings import decoded, settings_of_secrets

NAMESPACE = "jet-system"
_UNREAD = "Palette does not read it"
_FIXED = {
    ("apiVersion",): ("v1", "the API server knows Secrets in v1 only"),
    ("kind",): ("Secret", _UNREAD),
    ("metadata", "name"): (SECRET_NAME, _UNREAD),
    ("metadata", "namespace"): (NAMESPACE, _UNREAD),
    ("type",): (
        "Opaque",
        "the API server wants other keys for another type, and never lets it change",
    ),
}
# Left out, the API server and kubectl put something there: what they put.
_DEFAULTS = {
    ("metadata", "namespace"): "it lands in whatever namespace kubectl is set to",
    ("type",): "the API server assumes it, but the guide asks to keep it",
}
_SWITCH = ("true", "false")
_HIGHEST_PORT = 65535


@rule("PAL100")
def changed_secret_identity(spec: Spec) -> Iterator[Hit]:
    """API version, kind, name, namespace or type of the Secret are not those that Palette reads.

    Palette looks for one Secret by its name in one namespace. Another one is created without a complaint, and nobody reads
    it.

    Source: spectrocloud/librarium 02df8c8 docs/docs-content/vertex/system-management/registry-override.md (kind, metadata and
    type must not be changed); kubernetes v1.27.4 pkg/apis/core/validation/validation.go, ``ValidateSecret`` and
    ``ValidateSecretUpdate``.

    Bad:
        # file: registry-secret.yaml
        apiVersion: v1beta1  # <- PAL100
        kind: Secret
        metadata:
          name: registry-information  # <- PAL100
          namespace: default  # <- PAL100
        type: kubernetes.io/dockerconfigjson  # <- PAL100
        stringData:
          DOMAIN: harbor.example.org

    Good:
        # file: registry-secret.yaml
        apiVersion: v1
        kind: Secret
        metadata:
          name: registry-info
          namespace: jet-system
        type: Opaque
        stringData:
          DOMAIN: harbor.example.org

    Fixed:
        # file: registry-secret.yaml
        apiVersion: v1
        kind: Secret
        metadata:
          name: registry-info
          namespace: jet-system
        type: Opaque
        stringData:
          DOMAIN: harbor.example.org
    """
    for secret in secrets(spec):
        for path, (expected, consequence) in _FIXED.items():
            node = secret.get(*path)
            name = ".".join(path)
            if node.string() == expected:
                continue
            if node.string() or node.kind in ("mapping", "sequence"):
                shown = repr(node.text) if node.kind == "scalar" else f"a {node.kind}"
                message = f"{name} is {shown}, not {expected!r}: {consequence}"
                yield Hit(node, message, fix=rewritten(spec, node, expected))
            else:
                default = _DEFAULTS.get(path, "")
                message = f"{name} is missing: {default or consequence}"
                severity = Severity.WARNING if default else None
                yield Hit(_nearest(secret, path), message, f"{name}: {expected}", severity=severity)


@rule("PAL101")
def repeated_registry_secret(spec: Spec) -> Iterator[Hit]:
    """A file holds the Secret twice.

    ``kubectl create`` creates the first and stops at the second, which exists already; ``kubectl apply`` keeps the second.

    Source: kubernetes v1.27.4 staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go, ``Create`` (AlreadyExists).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData: {DOMAIN: harbor.example.org}
        ---
        kind: Secret
        metadata:
          name: registry-info  # <- PAL101
          namespace: jet-system
        stringData: {DOMAIN: harbor.example.com}

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData: {DOMAIN: harbor.example.org}
        ---
    """
    same = defaultdict[tuple[str, str], list[Node]](list)
    for secret in secrets(spec):
        metadata = secret.get("metadata")
        same[metadata.get("namespace").string(), metadata.get("name").string()].append(secret)
    for first, *others in same.values():
        for other in others:
            message = "the same Secret once more: kubectl create refuses it, kubectl apply keeps this one alone"
            related = ((first.get("metadata", "name") or first, "first here"),)
            yield Hit(other.get("metadata", "name") or other, message, "keep one", related=related)


@rule("PAL102", Severity.WARNING)
def immutable_registry_secret(spec: Spec) -> Iterator[Hit]:
    """The Secret is immutable.

    The API server then refuses each later change of it, this field included: to move to another registry, or to renew a
    password, the Secret must be deleted and made again.

    Source: kubernetes v1.27.4 pkg/apis/core/validation/validation.go, ``ValidateSecretUpdate``.

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        immutable: true  # <- PAL102

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
    """
    for secret in secrets(spec):
        node = secret.get("immutable")
        if node.is_true():
            message = "an immutable Secret cannot follow the registry: a new password or address needs it deleted first"
            yield Hit(node, message, "leave immutable out")


@rule("PAL103")
def missing_registry_setting(spec: Spec) -> Iterator[Hit]:
    """The Secret lacks a setting that Palette's guide requires, or has it empty.

    They are DOMAIN, BASE_PATH, INSECURE and MIRROR_REGISTRIES, in ``stringData`` or in ``data``. An empty BASE_PATH is a
    warning: it would be right for images that lie directly below the domain.

    Source: spectrocloud/librarium 02df8c8 docs/docs-content/vertex/system-management/registry-override.md
    (table of parameters).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:  # <- PAL103
          BASE_PATH: airgap-images
          INSECURE: ""  # <- PAL103
          MIRROR_REGISTRIES: docker.io::harbor.example.org/airgap-images/docker.io

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: harbor.example.org
          BASE_PATH: airgap-images
          INSECURE: "false"
          MIRROR_REGISTRIES: docker.io::harbor.example.org/airgap-images/docker.io
    """
    for settings in settings_of_secrets(spec):
        lacking = [each for each in settings.required if not each]
        if lacking:
            names = ", ".join(each.name for each in lacking)
            verb = "is" if len(lacking) == 1 else "are"
            yield Hit(settings.home, f"{names} {verb} missing, which Palette requires")
        for each in settings.required:
            if each and each.is_readable and not each.text.strip():
                severity = Severity.WARNING if each is settings.base_path else None
                message = f"{each.name} is empty, but Palette requires it"
                yield Hit(each.node, message, severity=severity)


@rule("PAL104")
def unknown_insecure_text(spec: Spec) -> Iterator[Hit]:
    """INSECURE is neither ``true`` nor ``false``.

    The text is compared with ``true``, in lower case: anything else leaves certificate checks on, whatever was meant.

    Source: spectrocloud/librarium 02df8c8 docs/docs-content/vertex/system-management/registry-override.md
    (table of parameters);
    validator-labs/validatorctl 34285c6 pkg/utils/embed/resources/kind/cluster-configuration.tmpl (the comparison).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          INSECURE: "yes"  # <- PAL104

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          INSECURE: "true"
    """
    for settings in settings_of_secrets(spec):
        switch = settings.insecure
        text, lower = switch.text.strip(), switch.text.strip().lower()
        is_said_elsewhere = bool(placeholder(text)) or decoded(text) in _SWITCH
        if switch.is_readable and text and text not in _SWITCH and not is_said_elsewhere:
            is_near = lower in _SWITCH
            hint = f'write "{lower}"' if is_near else 'write "true" or "false"'
            fix = rewritten(spec, switch.node, lower) if is_near and not switch.is_encoded else None
            message = (
                f"{switch.name} is {text!r}, neither true nor false: certificates stay checked"
            )
            yield Hit(switch.node, message, hint, fix=fix)


@rule("PAL105")
def unusable_registry_domain(spec: Spec) -> Iterator[Hit]:
    """DOMAIN is not a bare host, with a port if need be.

    Palette puts it in front of paths and compares it with the hosts of images, which have no scheme. Upper-case letters are a
    warning, and so is a path: that has its own setting, and only Amazon's public registry (``public.ecr.aws/ALIAS``) is
    documented with one.

    Source: spectrocloud/librarium 02df8c8 docs/docs-content/vertex/system-management/registry-override.md
    (each example is bare).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: https://harbor.example.org/  # <- PAL105

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: harbor.example.org:8443

    Fixed:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: harbor.example.org
    """
    for settings in settings_of_secrets(spec):
        domain = settings.endpoint
        text = domain.text.strip()
        if not text or placeholder(text):
            continue
        if problem := _domain_problem(text):
            bare = text.rpartition("://")[2].rpartition("@")[2].strip("/").lower()
            is_usable = bool(bare) and not _domain_problem(bare)
            hint = f"write {bare}" if is_usable else ""
            is_evident = is_usable and not domain.is_encoded and "@" not in text
            fix = rewritten(spec, domain.node, bare) if is_evident else None
            yield Hit(domain.node, f"{domain.name} {problem}", hint, fix=fix)
        elif "." in text and text.partition("/")[0] != text.partition("/")[0].lower():
            message = (
                f"{domain.name} has upper-case letters, and hosts are compared letter by letter"
            )
            fix = None if domain.is_encoded else rewritten(spec, domain.node, text.lower())
            hint = f"write {text.lower()}"
            yield Hit(domain.node, message, hint, severity=Severity.WARNING, fix=fix)
        elif "/" in text and not is_public_ecr(text):
            host, _, path = text.partition("/")
            message = f"{domain.name} is {text!r}, but it should be a host only"
            hint = f"write {host}, and {path} into {settings.base_path.name}"
            yield Hit(domain.node, message, hint, severity=Severity.WARNING)


def _nearest(secret: Node, path: tuple[str, ...]) -> Node:
    """The mapping in which something is missing."""
    return secret.get(*path[:-1]) or secret


def _domain_problem(text: str) -> str:
    """Why this is no host with an optional port and path; empty when it is."""
    host, _, path = text.partition("/")
    port = split_port(host)[1]
    if "://" in text:
        return "has a scheme: neither targets nor images begin with one"
    if "@" in text:
        return "holds credentials, which belong into USERNAME and PASSWORD"
    if text.endswith("/"):
        return "ends in a slash, which doubles the one before the path"
    if name_problem(host, path or "any") or (port.isdecimal() and int(port) > _HIGHEST_PORT):
        return "is not a host with an optional port"
    return ""
