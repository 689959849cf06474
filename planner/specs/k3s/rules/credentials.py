"""Mistakes in the credentials for a host. No message shows a value."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.edits import lines_of
from planner.core.gourl import split_port
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import quoted_to_the_end
from planner.core.resolution import is_loopback
from planner.specs.k3s.registries import configs, listed
from planner.specs.k3s.rules.files import placeholder

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_SWALLOWING = ("!", "&")
_SECRETS = ("username", "password", "auth", "identity_token")


@rule("K3S040")
def incomplete_credentials(spec: Spec) -> Iterator[Hit]:
    """Credentials have a user name without a password, or the reverse.

    containerd refuses basic authentication with an empty user name or password, and a password alone is not looked at.

    Source: containerd 301026e core/remotes/docker/authorizer.go:201-203, internal/cri/server/images/image_pull.go:354-390.

    Bad:
        configs:
          registry.example.com:
            auth:
              username: user  # <- K3S040

    Good:
        configs:
          registry.example.com:
            auth:
              username: user
              password: pass
    """
    for name, auth in _credentials(spec):
        pair = [auth.get("username"), auth.get("password")]
        given = [each for each in pair if each.string()]
        if len(given) != 1 or any(swallowed(spec, each) for each in pair):
            continue
        has, lacks = ("username", "password") if given[0] is pair[0] else ("password", "username")
        message = f"the credentials of {name!r} have a {has} but no {lacks}, and containerd does not log in with them"
        yield Hit(given[0], message, f"add {lacks}", on_key=True)


@rule("K3S041")
def invalid_encoded_credentials(spec: Spec) -> Iterator[Hit]:
    """``auth`` is not the base64 form of ``user:password``.

    containerd decodes it before the first request; when that fails, so does the pull. It is not a place for a token.

    Source: containerd 301026e internal/cri/server/images/image_pull.go:354-390; k3s-io/k3s#12438.

    Bad:
        configs:
          registry.example.com:
            auth:
              auth: not-base64!  # <- K3S041

    Good:
        configs:
          registry.example.com:
            auth:
              auth: dXNlcjpwYXNz
    """
    for name, auth in _credentials(spec):
        encoded = auth.get("auth")
        text = encoded.string()
        if text and not placeholder(text) and not _is_encoded_pair(text):
            message = (
                f"'auth' of {name!r} is not base64 of user:password, and pulls from there fail"
            )
            yield Hit(
                encoded, message, "use username and password, or printf '%s' USER:PASSWORD | base64"
            )


@rule("K3S042", Severity.WARNING)
def credentials_over_http(spec: Spec) -> Iterator[Hit]:
    """Credentials are for an endpoint that is asked over plain HTTP.

    Whoever sees the traffic can read them.

    Source: k3s-io/k3s#11340; containerd 301026e core/remotes/docker/authorizer.go (basic authentication on any scheme).

    Bad:
        mirrors:
          docker.io:
            endpoint: ["http://registry.example.com"]
        configs:
          registry.example.com:
            auth: {username: user, password: pass}  # <- K3S042

    Good:
        mirrors:
          docker.io:
            endpoint: ["https://registry.example.com"]
        configs:
          registry.example.com:
            auth: {username: user, password: pass}
    """
    plain = {each.config_name: each.node for each in listed(spec) if _is_plain_http(each.text)}
    for name, config in configs(spec).items():
        if (
            name in plain
            and not config.get("auth").is_null()
            and not is_loopback(split_port(name)[0])
        ):
            message = f"the credentials of {name!r} travel in clear text"
            related = ((plain[name], "plain HTTP here"),)
            yield Hit(config.get("auth"), message, "use https", on_key=True, related=related)


@rule("K3S044")
def value_cut_by_yaml(spec: Spec) -> Iterator[Hit]:
    """YAML takes a part of an unquoted password for something else.

    ``!`` begins a tag and ``&`` an anchor, so that the value is empty; ``#`` behind a blank begins a comment.

    Source: YAML 1.1, chapters 3.2.3.3, 6.9 and 7; gopkg.in/yaml.v2 v2.4.0.

    Bad:
        configs:
          registry.example.com:
            auth:
              username: user
              password: !secret  # <- K3S044

    Good:
        configs:
          registry.example.com:
            auth:
              username: user
              password: "!secret"

    Fixed:
        configs:
          registry.example.com:
            auth:
              username: user
              password: "!secret"
    """
    for _, auth in _credentials(spec):
        for key in _SECRETS:
            node = auth.get(key)
            if mark := swallowed(spec, node):
                message = f"the {key} is empty: unquoted, {mark!r} begins {'a tag' if mark == '!' else 'an anchor'}"
                fix = quoted_to_the_end(spec, node)
                yield Hit(node, message, "put the value in quotes", fix=fix)
            elif _has_tight_comment(spec, node):
                message = f"the {key} ends before ' #', which begins a comment"
                hint = "put the value in quotes, or write the comment with a blank: # …"
                yield Hit(node, message, hint, severity=Severity.WARNING)


def swallowed(spec: Spec, node: Node) -> str:
    """The mark through which YAML makes an unquoted value empty; empty when it does not."""
    source = _line(spec, node)[node.span.column - 1 :] if node.kind == "scalar" else ""
    is_swallowed = not node.text and source.startswith(_SWALLOWING)
    return source[0] if is_swallowed else ""


def _has_tight_comment(spec: Spec, node: Node) -> bool:
    if node.kind != "scalar" or node.span.line != node.span.end_line or not node.text:
        return False
    line = _line(spec, node)
    rest = line[node.span.end_column - 1 :]
    is_plain = line[node.span.column - 1 : node.span.column] not in ("'", '"', "|", ">")
    return is_plain and re.match(r"\s+#[^\s#]", rest) is not None


def _line(spec: Spec, node: Node) -> str:
    lines = lines_of(spec.text)
    return lines[node.span.line - 1] if node.span.line <= len(lines) else ""


def _credentials(spec: Spec) -> Iterator[tuple[str, Node]]:
    for name, config in configs(spec).items():
        yield name, config.get("auth")


def _is_encoded_pair(text: str) -> bool:
    """Whether Go's decoder accepts it (it skips line ends), and user and password are there."""
    digits = re.sub(r"[\r\n]", "", text)
    if not _BASE64.fullmatch(digits):
        return False
    user, _, password = base64.b64decode(digits).partition(b":")
    return bool(user and password.strip(b"\0"))


def _is_plain_http(endpoint: str) -> bool:
    return endpoint.lower().startswith("http://")
