"""Mistakes around ``*``, which reaches less than it seems to."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import ABSENT, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.k3s.registries import HUB_ALIASES, WILDCARD, configs, mirrors
from planner.specs.k3s.rules.configs import says_something, unconfigured, used_names


@rule("K3S033")
def wildcard_credentials(spec: Spec) -> Iterator[Hit]:
    """Credentials stand under ``*``, where containerd never looks.

    containerd looks up credentials by the exact host that answers. Every request goes out without them.

    Source: containerd 301026e internal/cri/server/images/image_pull.go:108,143; k3s-io/k3s#11352, k3s-io/k3s#12326.

    Bad:
        configs:
          "*":
            auth: {username: user, password: pass}  # <- K3S033

    Good:
        configs:
          registry.example.com:
            auth: {username: user, password: pass}
    """
    auth = configs(spec).get(WILDCARD, ABSENT).get("auth")
    if not auth.is_null():
        hosts = ", ".join(unconfigured(spec)) or "each host"
        message = "containerd looks up credentials by exact host, so those of '*' are never used"
        yield Hit(auth, message, f"write them for {hosts}", on_key=True)


@rule("K3S034")
def wildcard_tls_without_effect(spec: Spec) -> Iterator[Hit]:
    """TLS settings stand under ``*``, and a mirror's endpoint does not get them.

    K3s writes them for registries that have no entry of their own, and there only for the registry itself. An
    endpoint gets what stands under its own host, and nothing else. With a mirror ``*`` they are not written at all.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~211-294, ~355-364; k3s-io/k3s#9341.

    Bad:
        mirrors:
          docker.io:
            endpoint: ["https://registry.example.com:5000"]
        configs:
          "*":
            tls: {insecure_skip_verify: true}  # <- K3S034

    Good:
        mirrors:
          docker.io:
            endpoint: ["https://registry.example.com:5000"]
        configs:
          registry.example.com:5000:
            tls: {insecure_skip_verify: true}
    """
    if message := wildcard_tls_is_lost(spec):
        hosts = ", ".join(unconfigured(spec)) or "each host"
        tls = configs(spec)[WILDCARD].get("tls")
        yield Hit(tls, message, f"write them for {hosts}", on_key=True)


@rule("K3S036", Severity.WARNING)
def config_hides_wildcard_mirror(spec: Spec) -> Iterator[Hit]:
    """A registry has a config, and therefore bypasses the mirror ``*``.

    K3s writes a file for each config that says something, and containerd looks at ``*`` only for registries without a
    file: images of this one are pulled from it directly.

    Source: k3s-io/k3s 06ea261 pkg/agent/containerd/config.go ~211-294; containerd 301026e
    core/remotes/docker/config/config_unix.go:25-37.

    Bad:
        mirrors:
          "*":
            endpoint: ["https://registry.example.com:5000"]
        configs:
          ghcr.io:  # <- K3S036
            auth: {username: user, password: pass}

    Good:
        mirrors:
          "*":
            endpoint: ["https://registry.example.com:5000"]
        configs:
          registry.example.com:5000:
            auth: {username: user, password: pass}
    """
    if not mirrors(spec).get(WILDCARD, ABSENT).get("endpoint").items:
        return
    used = used_names(spec) | HUB_ALIASES
    for name, config in configs(spec).items():
        if says_something(config) and name not in used:
            message = f"images of {name!r} bypass the mirror '*', because this entry gives the registry a file of its own"
            hint = f"add mirrors: {{{name!r}: {{endpoint: …}}}} if they shall come from the mirror"
            yield Hit(config, message, hint, on_key=True)


def wildcard_tls_is_lost(spec: Spec) -> str:
    """Why TLS settings under ``*`` miss what they were meant for; empty when they do not."""
    tls = configs(spec).get(WILDCARD, ABSENT).get("tls")
    if tls.is_null():
        return ""
    if WILDCARD in mirrors(spec):
        return "K3s writes these settings nowhere, because the mirror '*' takes the place of the config '*'"
    if bare := unconfigured(spec):
        return f"the endpoint {bare[0]} does not get the settings of '*': K3s looks for its own host only"
    return ""
