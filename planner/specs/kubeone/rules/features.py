"""Features, certificates and control plane components."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.kubeone.manifest import cluster

_SWITCHES = {
    ("machineController",): "deploy",
    ("operatingSystemManager",): "deploy",
    ("features", "metricsServer"): "enable",
    ("features", "nodeLocalDNS"): "deploy",
    ("systemPackages",): "configureRepositories",
}
_REQUIRED = {
    "eventRateLimit": "configFilePath",
    "podNodeSelector": "configFilePath",
    "staticAuditLog": "policyFilePath",
    "openidConnect": "issuerUrl",
}
_LIMITS = ("logMaxAge", "logMaxBackup", "logMaxSize")
_COMPONENTS = ("controllerManager", "scheduler", "apiServer")
_SMALLEST_QUOTA = 2147483648
_DURATION = re.compile(r"[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)
_NUMBER = re.compile(r"[-+]?\d+", re.ASCII)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s(.*?)-----END CERTIFICATE-----", re.DOTALL)


@rule("KUB070", Severity.WARNING)
def emptied_feature(spec: Spec) -> Iterator[Hit]:
    """An empty mapping turns a feature off that is on by default.

    Without the key, the feature is on. With the key, its one switch counts, and that is false when it is not written.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/v1beta2/defaults.go (the default is set only where the pointer is nil).

    Bad:
        features:
          metricsServer: {}  # <- KUB070

    Good:
        features:
          metricsServer: {enable: true}
    """
    root = cluster(spec)
    for path, switch in _SWITCHES.items():
        node = root.get(*path)
        if node.kind == "mapping" and node.get(switch).is_null():
            name = ".".join(path)
            hint = f"write {switch}: true, or {switch}: false to say so"
            yield Hit(node, f"{name} without {switch} turns it off", hint)


@rule("KUB071")
def feature_without_config(spec: Spec) -> Iterator[Hit]:
    """A feature is enabled without the setting that it cannot do without.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:762-776,785-846.

    Bad:
        features:
          openidConnect: {enable: true}  # <- KUB071

    Good:
        features:
          openidConnect:
            enable: true
            config: {issuerUrl: https://login.example.com}
    """
    features = cluster(spec).get("features")
    for name, field in _REQUIRED.items():
        node = features.get(name)
        if node.get("enable").is_true() and not node.get("config", field).string():
            yield Hit(node, f"{name} is enabled without config.{field}")


@rule("KUB072")
def negative_log_limit(spec: Spec) -> Iterator[Hit]:
    """A limit of the audit log is negative.

    0 stands for the default.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:813-821.

    Bad:
        features:
          staticAuditLog:
            enable: true
            config: {policyFilePath: policy.yaml, logMaxAge: -1}  # <- KUB072

    Good:
        features:
          staticAuditLog:
            enable: true
            config: {policyFilePath: policy.yaml, logMaxAge: 7}
    """
    log = cluster(spec).get("features", "staticAuditLog")
    for key in _LIMITS if log.get("enable").is_true() else ():
        node = log.get("config", key)
        if isinstance(node.value, int) and node.value < 0:
            yield Hit(node, f"{key} is {node.text}: it must be above 0")


@rule("KUB073")
def unreadable_ca_bundle(spec: Spec) -> Iterator[Hit]:
    """A CA bundle holds no certificate.

    KubeOne looks for at least one PEM block of type CERTIFICATE that it can parse; white space only is no bundle at all.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:739-753.

    Bad:
        certificateAuthority:
          bundle: ca.pem  # <- KUB073

    Good:
        certificateAuthority:
          file: ca.pem
    """
    root = cluster(spec)
    authority = root.get("certificateAuthority")
    # A file replaces the bundle before anybody looks into it.
    bundle = authority.get("bundle") if authority.get("bundle").string() else root.get("caBundle")
    is_used = not authority.get("file").string()
    if is_used and bundle.string().strip() and not _has_certificate(bundle.string()):
        yield Hit(
            bundle,
            "no certificate in this text",
            "put PEM text here, or a path into certificateAuthority.file",
        )


@rule("KUB074")
def feature_gates_in_flags(spec: Spec) -> Iterator[Hit]:
    """Feature gates stand among the flags of a component.

    They have a field of their own, which KubeOne merges with its own gates.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:1011-1027.

    Bad:
        controlPlaneComponents:
          scheduler:
            flags:
              feature-gates: A=true  # <- KUB074

    Good:
        controlPlaneComponents:
          scheduler:
            featureGates: {A: true}
    """
    components = cluster(spec).get("controlPlaneComponents")
    for name in _COMPONENTS:
        node = components.get(name, "flags", "feature-gates")
        if node:
            yield Hit(
                node,
                "feature-gates may not stand in flags",
                f"use {name}.featureGates",
                on_key=True,
            )


@rule("KUB075")
def invalid_etcd_setting(spec: Spec) -> Iterator[Hit]:
    """A setting of etcd is out of range.

    The quota is 0 or at least 2 GiB. With a compaction mode, the retention is a duration or a whole number.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:1040-1054.

    Bad:
        controlPlaneComponents:
          etcd:
            quotaBackendBytes: 1024  # <- KUB075

    Good:
        controlPlaneComponents:
          etcd:
            quotaBackendBytes: 8589934592
    """
    etcd = cluster(spec).get("controlPlaneComponents", "etcd")
    quota = etcd.get("quotaBackendBytes")
    if isinstance(quota.value, int) and quota.value != 0 and quota.value < _SMALLEST_QUOTA:
        yield Hit(
            quota, f"{quota.text} bytes are too few for etcd: 0 or at least {_SMALLEST_QUOTA}"
        )
    retention = etcd.get("autoCompactionRetention")
    is_checked = etcd.get("autoCompactionMode").string() in ("periodic", "revision")
    if is_checked and retention.string() and not _is_retention(retention):
        yield Hit(
            retention, f"{retention.text!r} is neither a duration nor a whole number", "8h, or 1000"
        )


def _is_retention(node: Node) -> bool:
    return bool(_DURATION.fullmatch(node.string()) or _NUMBER.fullmatch(node.string()))


def _has_certificate(text: str) -> bool:
    return any(map(_is_certificate, _PEM.findall(text)))


def _is_certificate(body: str) -> bool:
    """Whether base64 text has the outline of X.509: one sequence, which begins with a sequence.

    What is inside would need a parser of X.509, which the standard library has not.
    """
    try:
        data = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        return False
    content = _sequence(data)
    return content is not None and content[:1] == b"\x30"


def _sequence(data: bytes) -> bytes | None:
    """The content of DER data that is one sequence from end to end."""
    if len(data) < 2 or data[0] != 0x30:
        return None
    length, start = data[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(data[2:start], "big")
    return data[start:] if len(data) == start + length else None
