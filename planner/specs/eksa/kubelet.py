"""The fields of a KubeletConfiguration, as EKS Anywhere decodes it: those of Kubernetes 1.29, whatever the cluster's version.

A shape is the word for a Go type, a list of one shape (its items), or a mapping: the fields of a struct, or under ``*`` the
values of a map.

Source: k8s.io/kubelet v0.29.5 config/v1beta1/types.go, k8s.io/component-base v0.29.5 logs/api/v1/types.go and
tracing/api/v1/types.go, k8s.io/api core/v1 ``Taint``; the versions are those in go.mod of aws/eks-anywhere aebd9a0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from planner.core.document import Node

Shape = str | list[Any] | dict[str, Any]

_TEXTS_BY_NAME: Shape = {"*": "text"}
_BY_TYPE: Mapping[str, str] = {
    "boolean": """
        enableServer rotateCertificates serverTLSBootstrap enableDebuggingHandlers enableContentionProfiling cgroupsPerQOS
        runOnce cpuCFSQuota serializeImagePulls enableControllerAttachDetach protectKernelDefaults makeIPTablesUtilChains
        failSwapOn kernelMemcgNotification enableSystemLogHandler enableSystemLogQuery enableProfilingHandler
        enableDebugFlagsHandler seccompDefault registerNode localStorageCapacityIsolation
    """,
    "integer": """
        port readOnlyPort registryPullQPS registryBurst eventRecordQPS eventBurst healthzPort oomScoreAdj
        nodeLeaseDurationSeconds imageGCHighThresholdPercent imageGCLowThresholdPercent maxPods podPidsLimit
        nodeStatusMaxImages maxOpenFiles kubeAPIQPS kubeAPIBurst maxParallelImagePulls evictionMaxPodGracePeriod podsPerCore
        iptablesMasqueradeBit iptablesDropBit containerLogMaxFiles
    """,
    "number": "memoryThrottlingFactor",
    "text": """
        kind apiVersion staticPodPath staticPodURL address tlsCertFile tlsPrivateKeyFile tlsMinVersion healthzBindAddress
        clusterDomain kubeletCgroups systemCgroups cgroupRoot cgroupDriver cpuManagerPolicy memoryManagerPolicy
        topologyManagerPolicy topologyManagerScope hairpinMode podCIDR resolvConf contentType containerLogMaxSize
        configMapAndSecretChangeDetectionStrategy reservedSystemCPUs showHiddenMetricsForVersion systemReservedCgroup
        kubeReservedCgroup volumePluginDir providerID containerRuntimeEndpoint imageServiceEndpoint
    """,
    "duration": """
        syncFrequency fileCheckFrequency httpCheckFrequency streamingConnectionIdleTimeout nodeStatusUpdateFrequency
        nodeStatusReportFrequency imageMinimumGCAge imageMaximumGCAge volumeStatsAggPeriod cpuManagerReconcilePeriod
        runtimeRequestTimeout cpuCFSQuotaPeriod evictionPressureTransitionPeriod shutdownGracePeriod
        shutdownGracePeriodCriticalPods
    """,
}
_TEXT_LISTS = "tlsCipherSuites clusterDNS enforceNodeAllocatable allowedUnsafeSysctls"
_TEXT_MAPS = """
    cpuManagerPolicyOptions topologyManagerPolicyOptions qosReserved evictionHard evictionSoft evictionSoftGracePeriod
    evictionMinimumReclaim systemReserved kubeReserved
"""
FIELDS: Mapping[str, Shape] = {
    **{name: word for word, names in _BY_TYPE.items() for name in names.split()},
    **{name: ["text"] for name in _TEXT_LISTS.split()},
    **dict.fromkeys(_TEXT_MAPS.split(), _TEXTS_BY_NAME),
    "staticPodURLHeader": {"*": ["text"]},
    "featureGates": {"*": "boolean"},
    "authentication": {
        "x509": {"clientCAFile": "text"},
        "webhook": {"enabled": "boolean", "cacheTTL": "duration"},
        "anonymous": {"enabled": "boolean"},
    },
    "authorization": {
        "mode": "text",
        "webhook": {"cacheAuthorizedTTL": "duration", "cacheUnauthorizedTTL": "duration"},
    },
    "memorySwap": {"swapBehavior": "text"},
    "logging": {
        "format": "text",
        "flushFrequency": "any",
        "verbosity": "integer",
        "vmodule": [{"filePattern": "text", "verbosity": "integer"}],
        "options": {"json": {"splitStream": "boolean", "infoBufferSize": "any"}},
    },
    "shutdownGracePeriodByPodPriority": [
        {"priority": "integer", "shutdownGracePeriodSeconds": "integer"}
    ],
    "reservedMemory": [{"numaNode": "integer", "limits": {"*": "any"}}],
    "registerWithTaints": [{"key": "text", "value": "text", "effect": "text", "timeAdded": "any"}],
    "tracing": {"endpoint": "text", "samplingRatePerMillion": "integer"},
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "text": (str, bool, int, float),
    "duration": (str,),
    "any": (str, bool, int, float),
}
_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_SAID = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "text": "a text",
    "duration": "a duration in quotes, such as 10s",
    "any": "a single value",
}


class Misfit(NamedTuple):
    """A value that a KubeletConfiguration has no place for.

    ``key`` is set when there is no such field; ``known`` are then those that there are. Else ``wanted`` says what the value
    must be.
    """

    node: Node
    key: str = ""
    known: tuple[str, ...] = ()
    wanted: str = ""


def misfits(node: Node, shape: Shape | None = None) -> Iterator[Misfit]:
    """What Go's strict decoder refuses in a KubeletConfiguration. Null fits everywhere; keys match in any case."""
    match dict(FIELDS) if shape is None else shape:
        case _ if node.is_null():
            return
        case {"*": below} if node.kind == "mapping":
            for _, value in node.fields():
                yield from misfits(value, below)
        case dict(fields) if node.kind == "mapping":
            yield from _misfits_of_struct(node, fields)
        case [below] if node.kind == "sequence":
            for item in node.items:
                yield from misfits(item, below)
        case str(word):
            if node.kind != "scalar" or not _fits(node, word):
                yield Misfit(node, wanted=_SAID[word])
        case other:
            yield Misfit(node, wanted="a list" if isinstance(other, list) else "a mapping")


def _misfits_of_struct(node: Node, fields: Mapping[str, Shape]) -> Iterator[Misfit]:
    folded = {name.casefold(): name for name in fields}
    for key, value in node.fields():
        name = folded.get(key.casefold(), "")
        if name:
            yield from misfits(value, fields[name])
        else:
            yield Misfit(value, key=key, known=tuple(fields))


def _fits(node: Node, word: str) -> bool:
    value = node.value
    if isinstance(value, bool) and word in ("integer", "number"):
        return False
    if not isinstance(value, _TYPES[word]):
        return False
    return word != "duration" or bool(_DURATION.fullmatch(node.text))
