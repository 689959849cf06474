"""The nodes' proxy. Its addresses may hold a password, so no message shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.gourl import parse_url
from planner.core.lint import Hit, rule
from planner.specs.eksa.documents import cluster
from planner.specs.eksa.rules.lookup import is_missing, is_port, split_host_port
from planner.specs.eksa.rules.reading import address, is_request_uri

_PROXY = ("spec", "proxyConfiguration")
_KEYS = ("httpProxy", "httpsProxy")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_HOST = 253
_HINT = "write HOST:PORT, or http://HOST:PORT"


@rule("EKS055")
def incomplete_proxy(spec: Spec) -> Iterator[Hit]:
    """The proxy for HTTP or for HTTPS is missing.

    Both must be given, and may be the same.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:869-878.

    Bad:
        kind: Cluster
        spec:
          proxyConfiguration:  # <- EKS055
            httpProxy: 198.51.100.5:3128

    Good:
        kind: Cluster
        spec:
          proxyConfiguration:
            httpProxy: 198.51.100.5:3128
            httpsProxy: 198.51.100.5:3128
    """
    proxy = cluster(spec).get(*_PROXY)
    for key in _KEYS if not proxy.is_null() else ():
        if is_missing(proxy, key):
            message = f"proxyConfiguration has no {key}: EKS Anywhere refuses the file"
            yield Hit(proxy.get(key) or proxy, message, f"{key}: HOST:PORT")


@rule("EKS056")
def unusable_proxy(spec: Spec) -> Iterator[Hit]:
    """A proxy is not written as host and port.

    The port must be there, from 1 to 65535. What begins with ``http`` is taken for a URL. EKS Anywhere also looks the host up;
    planner only sees whether it could be one.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:888-911.

    Bad:
        kind: Cluster
        spec:
          proxyConfiguration:
            httpProxy: 198.51.100.5  # <- EKS056
            httpsProxy: http://proxy.example.com  # <- EKS056

    Good:
        kind: Cluster
        spec:
          proxyConfiguration:
            httpProxy: 198.51.100.5:3128
            httpsProxy: http://proxy.example.com:3128
    """
    proxy = cluster(spec).get(*_PROXY)
    for key in _KEYS:
        node = proxy.get(key)
        if node.string() and (problem := _problem(node.string())):
            yield Hit(node, f"EKS Anywhere refuses this {key}: {problem}", _HINT)


def _problem(text: str) -> str:
    """What is wrong with a proxy; empty when nothing is."""
    where = text
    if text.startswith("http"):
        url = parse_url(text) if is_request_uri(text) else None
        if url is None:
            return "it is no URL"
        where = url.host
    parts = split_host_port(where)
    if parts.problem:
        return parts.problem
    if not is_port(parts.port):
        return "its port is not a number from 1 to 65535"
    return "" if address(parts.host) or _is_name(parts.host) else "its host cannot be one"


def _is_name(host: str) -> bool:
    """Whether a resolver could know the host: no name ends in a number, which would be a misspelt address."""
    labels = host.removesuffix(".").split(".")
    is_spelt = len(host) <= _LONGEST_HOST and all(map(_LABEL.fullmatch, labels))
    return is_spelt and not labels[-1].isdigit()
