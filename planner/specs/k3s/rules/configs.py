"""Mistakes in which host a config is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from planner.core.document import ABSENT, Node, Spec
from planner.core.gourl import split_port
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import renamed
from planner.core.refs import DOCKER_HUB
from planner.core.text import closest
from planner.specs.k3s.registries import (
    HUB_API,
    PUBLIC,
    WILDCARD,
    configs,
    listed,
    mirrors,
)
from planner.specs.k3s.rules.files import placeholder
from planner.specs.k3s.rules.names import bare_host, is_address

_FEW = 50


@rule("K3S030")
def config_name_with_url_parts(spec: Spec) -> Iterator[Hit]:
    """A config is named by a URL or with a path, and no request finds it.

    The name is compared with ``host[:port]`` of the address that is contacted.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~355-364; containerd 301026e
    internal/cri/server/images/image_pull.go:105-143; k3s-io/k3s#13255, k3s-io/k3s#12438.

    Bad:
        configs:
          https://registry.example.com:  # <- K3S030
            auth: {username: user, password: pass}

    Good:
        configs:
          registry.example.com:
            auth: {username: user, password: pass}

    Fixed:
        configs:
          registry.example.com:
            auth: {username: user, password: pass}
    """
    for name, config in configs(spec).items():
        if "/" in name and not placeholder(name):
            what = "a URL" if "://" in name else "a name with a path"
            message = (
                f"the config {name!r} is never used: it is found by host[:port], and this is {what}"
            )
            host = bare_host(name)
            fix = renamed(spec, config.key, host, configs(spec)) if is_address(name) else None
            yield Hit(config, message, f"name it {host!r}", on_key=True, fix=fix)
        elif "*" in name and name != WILDCARD:
            message = f"the config {name!r} is never used: there are no globs"
            yield Hit(config, message, "list each host", on_key=True)


@rule("K3S031")
def config_beside_endpoint(spec: Spec) -> Iterator[Hit]:
    """A config is named almost like an endpoint, but not exactly, so the endpoint does without it.

    The name must be ``host[:port]`` of the endpoint as written there: the port counts, even 443, and nothing is completed.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~301-364; rancher/rke2#915.

    Bad:
        mirrors:
          docker.io:
            endpoint: ["https://registry.example.com:5000"]
        configs:
          registry.example.com:  # <- K3S031
            tls: {ca_file: /etc/ssl/corp.pem}

    Good:
        mirrors:
          docker.io:
            endpoint: ["https://registry.example.com:5000"]
        configs:
          registry.example.com:5000:
            tls: {ca_file: /etc/ssl/corp.pem}
    """
    bare, used = unconfigured(spec), used_names(spec) | PUBLIC
    alike = {short: each for each in reversed(bare) for short in _short_forms(each)}
    for name, config in configs(spec).items():
        if name in used or "/" in name:
            continue
        if target := _lookalike(name, alike):
            yield _beside(name, config, target, None)
        elif target := next((each for each in bare[:_FEW] if _is_typo(name, each)), ""):
            yield _beside(name, config, target, Severity.WARNING)


@rule("K3S032")
def config_named_like_mirror(spec: Spec) -> Iterator[Hit]:
    """A config has the name of a mirror, while the endpoint is another host.

    Credentials and TLS settings belong to the host that is contacted. Under the name of the mirror they reach only the registry
    itself, which is asked last; the endpoint gets none. The entry also keeps that last address alive under
    ``--disable-default-registry-endpoint``.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~211-294, ~355-364; k3s-io/k3s#13215, k3s-io/k3s#3937.

    Bad:
        mirrors:
          registry.local:
            endpoint: ["https://10.0.0.7:5000"]
        configs:
          registry.local:  # <- K3S032
            tls: {ca_file: /etc/ssl/corp.pem}

    Good:
        mirrors:
          registry.local:
            endpoint: ["https://10.0.0.7:5000"]
        configs:
          10.0.0.7:5000:
            tls: {ca_file: /etc/ssl/corp.pem}
    """
    known = configs(spec)
    asked: dict[str, list[str]] = {}
    for each in listed(spec):
        asked.setdefault(each.mirror, []).append(each.config_name)
    for name, config in known.items():
        without = [each for each in asked.get(name, ()) if each and each not in known]
        if not without or name in asked[name] or name == WILDCARD or not says_something(config):
            continue
        what = " and ".join(key for key in ("auth", "tls") if not config.get(key).is_null())
        message = (
            f"{what} of {name!r} reach only that registry itself, not its endpoint {without[0]}"
        )
        severity = Severity.WARNING if name in PUBLIC and what == "auth" else None
        yield Hit(config, message, f"name it {without[0]!r}", on_key=True, severity=severity)


@rule("K3S035", Severity.WARNING)
def docker_hub_config_alias(spec: Spec) -> Iterator[Hit]:
    """A config for Docker Hub is not named by the host that is contacted.

    containerd asks ``registry-1.docker.io``. Releases before v1.31.11, v1.32.7 and v1.33.3 do not find credentials under
    ``docker.io``; no release finds them under ``index.docker.io``.

    Source: containerd 301026e core/remotes/docker/config/hosts.go:102-104; k3s-io/k3s#12561.

    Bad:
        configs:
          docker.io:  # <- K3S035
            auth: {username: user, password: pass}

    Good:
        configs:
          registry-1.docker.io:
            auth: {username: user, password: pass}

    Fixed:
        configs:
          registry-1.docker.io:
            auth: {username: user, password: pass}
    """
    known, used = configs(spec), used_names(spec)
    if HUB_API in known:
        return
    for name in ("index.docker.io", "registry.hub.docker.com"):
        if name in known and name not in used and DOCKER_HUB not in known:
            message = f"the config {name!r} is never used for Docker Hub: containerd asks {HUB_API}"
            fix = renamed(spec, known[name].key, HUB_API, known)
            hint = f"name it {HUB_API}"
            yield Hit(known[name], message, hint, on_key=True, severity=Severity.ERROR, fix=fix)
    if not known.get(DOCKER_HUB, ABSENT).get("auth").is_null():
        message = (
            "K3s before v1.31.11, v1.32.7 and v1.33.3 does not find credentials under 'docker.io'"
        )
        fix = renamed(spec, known[DOCKER_HUB].key, HUB_API, known)
        yield Hit(known[DOCKER_HUB], message, f"name it {HUB_API}", on_key=True, fix=fix)


@rule("K3S037", Severity.WARNING)
def empty_config(spec: Spec) -> Iterator[Hit]:
    """A config says nothing, and K3s forgets it.

    An empty entry is no exception to ``*`` either, although the documentation once showed it as one.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~290 (entries that carry nothing are deleted).

    Bad:
        configs:
          docker.io:  # <- K3S037

    Good:
        configs:
          registry-1.docker.io:
            auth: {username: user, password: pass}
    """
    wildcard = WILDCARD in configs(spec) or WILDCARD in mirrors(spec)
    for name, config in configs(spec).items():
        if config.is_null() or (config.kind == "mapping" and _has_only_nulls(config)):
            message = f"the config {name!r} says nothing, and K3s forgets it"
            exception = ": it is no exception to '*'" if wildcard else ""
            yield Hit(config, message + exception, "remove it, or write auth or tls", on_key=True)


def unconfigured(spec: Spec) -> tuple[str, ...]:
    """Hosts of endpoints that have no config, in the order of the file."""
    known = configs(spec)
    found = dict.fromkeys(each.config_name for each in listed(spec))
    hub = HUB_API if HUB_API in known else ""
    return tuple(
        each for each in found if each and each not in known and not (each == DOCKER_HUB and hub)
    )


def used_names(spec: Spec) -> frozenset[str]:
    """Names that a config may have to be found: ``*``, mirrors, and hosts of endpoints."""
    return frozenset({WILDCARD, *mirrors(spec), *(each.config_name for each in listed(spec))})


def says_something(config: Node) -> bool:
    """Whether K3s writes anything for it."""
    return not (config.get("auth").is_null() and config.get("tls").is_null())


def _has_only_nulls(config: Node) -> bool:
    return all(key in ("auth", "tls") and value.is_null() for key, value in config.fields())


def _lookalike(name: str, alike: Mapping[str, str]) -> str:
    """The endpoint that differs from ``name`` in the port, in upper case, or in a domain that one of them lacks."""
    host, *shorter = _short_forms(name)
    known = (each for each in shorter if each in alike)
    whole = (alike[each] for each in known if _short_forms(alike[each])[0] == each)
    return alike.get(host, "") or next(whole, "")


def _short_forms(name: str) -> list[str]:
    """The host without its port, then without one domain after the other; an address has no domains."""
    host = split_port(name.lower())[0]
    labels = [host] if host.replace(".", "").isdigit() else host.split(".")
    return [".".join(labels[:count]) for count in range(len(labels), 0, -1)]


def _is_typo(name: str, target: str) -> bool:
    """Whether a letter is missing, superfluous or in the wrong place; another letter may well be another host."""
    if re.sub("[0-9]", "", name) == re.sub("[0-9]", "", target):
        return False
    is_turned = sorted(name) == sorted(target)
    return closest(name, [target]) == target and (is_turned or abs(len(name) - len(target)) == 1)


def _beside(name: str, config: Node, target: str, severity: Severity | None) -> Hit:
    message = f"the endpoint {target} does not get the config {name!r}: the names must be equal, with the port"
    return Hit(config, message, f"name it {target!r}", on_key=True, severity=severity)
