"""Mistakes in the endpoints of a mirror."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.gourl import split_port
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import rewritten
from planner.specs.k3s.registries import Listed, listed, parse_endpoint
from planner.specs.k3s.rules.files import placeholder

_SCHEMES = ("", "http", "https")


@rule("K3S010")
def unreadable_endpoint(spec: Spec) -> Iterator[Hit]:
    """An endpoint is not a URL, so the node leaves it out.

    K3s writes a warning to its log and goes on without this endpoint: images come from the next one, or from the
    registry itself.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~253; rancher/wharfie bb7080c
    pkg/registries/registries_test.go:275-291.

    Bad:
        mirrors:
          docker.io:
            endpoint:
              - "https://registry.example.com "  # <- K3S010

    Good:
        mirrors:
          docker.io:
            endpoint:
              - "https://registry.example.com"

    Fixed:
        mirrors:
          docker.io:
            endpoint:
              - "https://registry.example.com"
    """
    for each in listed(spec):
        if each.url is None and not placeholder(each.text):
            message = (
                f"K3s ignores this endpoint of {each.mirror!r}: {_unreadable_because(each.text)}"
            )
            text = each.text.strip()
            fix = rewritten(spec, each.node, text, "take the blanks off")
            hint = "write https://HOST:PORT"
            yield Hit(each.node, message, hint, fix=fix if _is_usable(each, text) else None)


@rule("K3S011")
def unusable_endpoint(spec: Spec) -> Iterator[Hit]:
    """An endpoint names no host that a node can ask over HTTP.

    K3s writes it to containerd's configuration without a check; the request fails, and the next endpoint or the registry itself
    is asked. Typical are a scheme without colon (``http//host``), a single slash (``https:/host``), an empty list item, and
    schemes such as ``oci://``, before which containerd puts ``https://``.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~301-336 (no check); containerd 301026e
    core/remotes/docker/config/hosts.go:431; rancher/wharfie bb7080c pkg/registries/registries.go:213-215 (skips it).

    Bad:
        mirrors:
          docker.io:
            endpoint:
              - http//registry.example.com:5000  # <- K3S011
              - oci://registry.example.com  # <- K3S011

    Good:
        mirrors:
          docker.io:
            endpoint:
              - http://registry.example.com:5000
              - https://registry.example.com

    Fixed:
        mirrors:
          docker.io:
            endpoint:
              - http://registry.example.com:5000
              - oci://registry.example.com
    """
    for each in listed(spec):
        if problem := _unusable_because(each):
            message = f"the nodes cannot use this endpoint of {each.mirror!r}: {problem}"
            wanted = _repaired(each.text)
            hint = f"did you mean {wanted}?" if wanted else "write https://HOST:PORT"
            fix = rewritten(spec, each.node, wanted) if _is_usable(each, wanted) else None
            yield Hit(each.node, message, hint, fix=fix)


@rule("K3S012")
def credentials_in_endpoint(spec: Spec) -> Iterator[Hit]:
    """An endpoint carries a user name or a password.

    containerd takes scheme, host and path of the URL and drops the rest, so the request goes out without credentials,
    while they stand in clear text in hosts.toml.

    Source: containerd 301026e core/remotes/docker/config/hosts.go:438-448.

    Bad:
        mirrors:
          docker.io:
            endpoint:
              - https://user:pass@registry.example.com  # <- K3S012

    Good:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com
        configs:
          registry.example.com:
            auth: {username: user, password: pass}
    """
    for each in listed(spec):
        if each.url and each.url.user_info:
            message = (
                f"containerd drops the credentials in this URL and asks {each.url.host} without"
            )
            yield Hit(
                each.node, message, f"put them under configs: {{{each.config_name!r}: {{auth: …}}}}"
            )


@rule("K3S013")
def query_in_endpoint(spec: Spec) -> Iterator[Hit]:
    """An endpoint has a query or a fragment.

    containerd takes scheme, host and path of the URL and drops the rest.

    Source: containerd 301026e core/remotes/docker/config/hosts.go:438-448.

    Bad:
        mirrors:
          docker.io:
            endpoint:
              - "https://registry.example.com?project=hub"  # <- K3S013

    Good:
        mirrors:
          docker.io:
            endpoint:
              - "https://registry.example.com/v2/hub"
    """
    for each in listed(spec):
        if each.url and each.url.tail:
            message = "containerd drops everything from the '?' or '#' of an endpoint on"
            yield Hit(each.node, message, "end the URL after its path")


@rule("K3S014")
def endpoint_path_without_v2(spec: Spec) -> Iterator[Hit]:
    """An endpoint has a path that is no registry API.

    K3s adds ``/v2`` only where there is no path. Any other path is taken as the root of the API, as it is: containerd asks
    ``https://host/proxy/library/nginx/manifests/…`` and gets 404.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~301-336 (``override_path``); k3s-io/k3s#13215.

    Bad:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com/proxy-cache  # <- K3S014

    Good:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com/v2/proxy-cache
    """
    for each in listed(spec):
        if _unusable_because(each) or each.url is None or each.url.tail:
            continue
        path = each.url.path.strip("/")
        if path and "v2" not in path.split("/"):
            message = f"the path {each.url.path!r} is taken as the root of the registry API: nothing adds /v2 to it"
            scheme = each.url.scheme or "https"
            wanted = f"/v2/{path}" if path != "v1" else "/v2"
            yield Hit(each.node, message, f"write {scheme}://{each.url.host}{wanted}")


@rule("K3S015", Severity.WARNING)
def slash_after_v2(spec: Spec) -> Iterator[Hit]:
    """An endpoint ends in ``/v2/``, which is another path than ``/v2``.

    Today's containerd cleans the path. Older releases of RKE2 failed on it, and K3s does not see that it is the same
    as an endpoint without a path, so duplicates and the registry's own address go unnoticed.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~301-336 (only ``/``, ``/v2`` and no path are equal);
    rancher/rke2#2717.

    Bad:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com/v2/  # <- K3S015

    Good:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com/v2

    Fixed:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com/v2
    """
    for each in listed(spec):
        if each.url and each.url.path == "/v2/":
            message = (
                "K3s takes '/v2/' for another path than '/v2', and old RKE2 releases fail on it"
            )
            hint = "end the endpoint in /v2, or leave the path out"
            is_end = each.text.endswith("/v2/")
            fix = rewritten(spec, each.node, each.text[:-1], "take the last slash off")
            yield Hit(each.node, message, hint, fix=fix if is_end else None)


@rule("K3S016", Severity.INFO)
def endpoint_without_scheme(spec: Spec) -> Iterator[Hit]:
    """An endpoint leaves the scheme to a guess.

    K3s takes ``https``, and ``http`` for this machine with a port other than 443. The releases v1.26.13, v1.27.10, v1.28.6 and
    v1.29.1 up to ``+k3s1`` wrote such an endpoint wrongly.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~301-336; k3s-io/k3s#9322.

    Bad:
        mirrors:
          docker.io:
            endpoint:
              - registry.example.com:5000  # <- K3S016

    Good:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com:5000

    Fixed:
        mirrors:
          docker.io:
            endpoint:
              - https://registry.example.com:5000
    """
    for each in listed(spec):
        rendered = each.rendered
        is_plain = each.url and not each.url.scheme and not each.url.user_info
        if is_plain and rendered and not _unusable_because(each):
            message = f"K3s reads {each.text!r} as {rendered.url}"
            # With HTTP, the flags of the agent may say otherwise.
            is_safe = (rendered.url or "").startswith("https://")
            scheme = "https" if is_safe else "http"
            fix = rewritten(spec, each.node, f"{scheme}://{each.text}", is_safe=is_safe)
            yield Hit(each.node, message, "write the scheme", fix=fix)


@rule("K3S020", Severity.WARNING)
def ipv6_endpoint(spec: Spec) -> Iterator[Hit]:
    """An endpoint has an IPv6 address, which containerd 1.7 cannot read.

    The brackets break hosts.toml for the TOML parser of containerd 1.7, and the node asks only the registry itself.
    The parser of containerd 2 reads them.

    Source: k3s-io/k3s#9897.

    Bad:
        mirrors:
          docker.io:
            endpoint:
              - "https://[fd00::11]:5000"  # <- K3S020

    Good:
        mirrors:
          docker.io:
            endpoint:
              - "https://registry.example.com:5000"
    """
    for each in listed(spec):
        if each.url and each.url.host.startswith("["):
            message = "containerd 1.7 cannot read a hosts.toml with an IPv6 address in it; containerd 2 can"
            yield Hit(each.node, message, "use a host name on nodes with containerd 1.7")


def _unreadable_because(text: str) -> str:
    if text != text.strip():
        return "there is a blank before or behind the URL"
    if any(each.isspace() for each in text):
        return "there is a blank in the URL"
    _, _, port = text.rpartition("://")[2].partition("/")[0].rpartition(":")
    if port and not port.isdigit() and "@" not in text:
        return f"{port!r} is not a port"
    return "Go cannot read it as a URL"


def _unusable_because(each: Listed) -> str:
    """Why no request can go there; empty when one can, or when another rule says why not."""
    if each.url is None or placeholder(each.text):
        return ""
    host, _ = split_port(each.url.host)
    if each.url.scheme not in _SCHEMES:
        return f"containerd speaks http and https, not {each.url.scheme!r}"
    if host in ("http", "https"):
        return f"it asks a host named {host!r}"
    if ":" in host and not host.startswith("["):
        return "an IPv6 address needs brackets"
    return "" if host else "it has no host"


def _is_usable(each: Listed, text: str) -> bool:
    """Whether a node could ask ``text`` instead, whose host is more than a number."""
    url = parse_endpoint(text)
    is_host = url is not None and not split_port(url.host)[0].isdigit()
    return is_host and not _unusable_because(Listed(each.mirror, each.node, text, url))


def _repaired(text: str) -> str:
    """The URL that was probably meant; empty when that cannot be told."""
    for scheme in ("https", "http"):
        for typo in (f"{scheme}//", f"{scheme}:/", f"{scheme}:"):
            if text.startswith(typo) and "://" not in text and text.strip(typo):
                return f"{scheme}://{text.removeprefix(typo)}"
    return ""
