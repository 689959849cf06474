"""What will happen on the nodes: who fails on an image that is not where it must be, and how.

A node asks the next endpoint for whatever the one before lacks, be it a name, a manifest or a blob.

Source: containerd 301026e core/remotes/docker/resolver.go ``Resolve`` and fetcher.go:288-325 ``Fetch``; kubernetes
pkg/kubelet/images/types.go (``ImagePullBackOff``, ``InvalidImageName``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from planner.core.family import Consumer
from planner.core.resolution import Rewrite, RewrittenBy
from planner.core.text import short_digest
from planner.verify import Verified

Failing = Consumer | Literal["webhook"]

_NAMES: Mapping[Failing, str] = {
    "kubelet": "kubelet",
    "helm": "helm",
    "eks-anywhere": "EKS Anywhere",
    "palette": "Palette",
    "webhook": "the webhook",
}
_RENAMED: Mapping[RewrittenBy, str] = {
    "imageswap": "the webhook rewrites it to",
    "eks-anywhere": "EKS Anywhere asks for",
    "kubeone": "KubeOne deploys it as",
    "system-default-registry": "system-default-registry makes it",
}
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def consumer(result: Verified) -> Failing:
    """Who asks for it. The webhook counts only where it fails itself, so that nobody comes to ask."""
    last = _last_rewrite(result)
    return "webhook" if last and not last.image else result.need.consumer


def consequence(result: Verified) -> str:
    """What will happen, as a sentence without a full stop."""
    match result.verdict:
        case "found":
            return _found(result)
        case "unsigned":
            return f"whoever asks {result.where} for its signatures will not find them: {result.detail}"
        case "incomplete":
            return _incomplete(result)
        case "corrupted":
            return f"{_cannot(result)}: {result.where} answers with bytes that are refused: {result.detail}"
        case "upstream":
            return _upstream(result)
        case "missing":
            return _missing(result)


def _found(result: Verified) -> str:
    held = f"{short_digest(result.digest)} at {result.where}"
    if result.number == 1:
        return f"{held}; {result.detail}" if result.detail else held
    return f"the node gets it from the {_ordinal(result.number)} endpoint: {held} ({result.detail})"


def _incomplete(result: Verified) -> str:
    lost = f"{result.where} answers, but {result.detail}"
    following = result.need.resolution.attempts[result.number :]
    if not following:
        return f"{_cannot(result)}: {lost}"
    endpoint = following[0].endpoint
    if following[0].registry == result.need.source.registry:
        return f"kubelet falls back to the internet ({endpoint}) for what is missing: {lost}"
    return f"kubelet asks the next endpoint ({endpoint}) for what is missing: {lost}"


def _upstream(result: Verified) -> str:
    source, who = result.need.source.registry, consumer(result)
    if who != "kubelet":
        pulls = f"{_NAMES[who]} pulls {_it(result)} from {source} itself ({result.where})"
        return f"{pulls}: the spec sends it nowhere else"
    if result.number == 1:
        return f"kubelet pulls it from {source} itself ({result.where}): {result.detail}"
    return f"kubelet falls back to the internet ({result.where}): {result.detail}"


def _missing(result: Verified) -> str:
    last, who = _last_rewrite(result), consumer(result)
    if result.need.kind != "image":
        return f"{_cannot(result)}: {result.detail}"
    if last is None:
        return f"kubelet has nowhere else to ask (ImagePullBackOff): {result.detail}"
    if not last.image:
        return "the webhook fails on this name, so the pod is refused"
    return f"{_RENAMED[last.by]} {last.image}, {_problem(result, last.image, who)}"


def _cannot(result: Verified) -> str:
    who = consumer(result)
    state = " (ImagePullBackOff)" if who == "kubelet" else ""
    return f"{_NAMES[who]} cannot pull {_it(result)}{state}"


def _it(result: Verified) -> str:
    return "the chart" if result.need.kind == "chart" else "it"


def _problem(result: Verified, name: str, who: Failing) -> str:
    """What is wrong with the new name."""
    if not result.need.resolution.attempts:
        state = ": InvalidImageName" if who == "kubelet" else ""
        return f"which is no name of an image{state}"
    state = ": ImagePullBackOff" if who == "kubelet" else ""
    if result.detail == f"{name} is not there":
        return f"which is not there{state}"
    return f"and no endpoint has that{state} ({result.detail})"


def _last_rewrite(result: Verified) -> Rewrite | None:
    rewrites = result.need.resolution.rewrites
    return rewrites[-1] if rewrites else None


def _ordinal(number: int) -> str:
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"
