"""How the values of the Secret are written down: base64 in ``data``, plain text in ``stringData``. No message shows a value."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.edits import Positions
from planner.core.lint import Fix, Hit, Severity, rule
from planner.core.mending import rewritten
from planner.specs.palette.documents import secrets
from planner.specs.palette.settings import Setting, decoded, settings_of, settings_of_secrets

_SHORTEST = 8  # below it, a short word may decode to a text by chance
_PRINTABLE = re.compile(r"[\x20-\x7e\t\r\n]+")
_CUT = re.compile(r"[ \t]+#.*::")


@rule("PAL110")
def invalid_secret_encoding(spec: Spec) -> Iterator[Hit]:
    """A value in ``data`` is not base64.

    The API server refuses the whole Secret: values there are bytes, which JSON carries in base64, with padding.

    Source: kubernetes/api v0.27.4 core/v1/types.go, ``Secret.Data``; golang/go encoding/base64, ``StdEncoding``.

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        data:
          DOMAIN: harbor.example.org  # <- PAL110

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        data:
          DOMAIN: aGFyYm9yLmV4YW1wbGUub3Jn
    """
    for secret in secrets(spec):
        for key, node in secret.get("data").fields():
            if isinstance(node.value, str) and decoded(node.text) is None:
                yield Hit(
                    node,
                    f"{key} is not text in base64: the API server refuses the Secret, or Palette cannot read it",
                    "write plain text, under stringData",
                )


@rule("PAL111")
def surrounding_white_space(spec: Spec) -> Iterator[Hit]:
    r"""A setting of the Secret begins or ends with white space.

    Nobody trims it: a host with a line end is another host. It comes from ``echo TEXT | base64``, which encodes the line
    end too, or from a block scalar (``|``). Certificates may end so; a password might.

    Source: kubernetes/api v0.27.4 core/v1/types.go, ``Secret.Data`` (bytes, taken as they are).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        data:
          DOMAIN: aGFyYm9yLmV4YW1wbGUub3JnCg==  # <- PAL111
        stringData:
          BASE_PATH: "airgap-images "  # <- PAL111

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        data:
          DOMAIN: aGFyYm9yLmV4YW1wbGUub3Jn
        stringData:
          BASE_PATH: airgap-images

    Fixed:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        data:
          DOMAIN: aGFyYm9yLmV4YW1wbGUub3Jn
        stringData:
          BASE_PATH: "airgap-images"
    """
    for settings in settings_of_secrets(spec):
        for each in settings:
            text = each.text
            if text == text.strip() or each in (settings.authority, settings.mirrors):
                continue
            what = "a line end" if "\n" in text[len(text.rstrip()) :] else "white space"
            where = "ends" if text != text.rstrip() else "begins"
            hint = f"encode it with printf %s … | base64 -w0, or move {each.name} to stringData"
            severity = Severity.WARNING if each is settings.password else None
            message = f"{each.name} {where} with {what}, which becomes part of it"
            hint = hint if each.is_encoded else ""
            is_shown = each not in (settings.username, settings.password)
            fix = _stripped(spec, each) if is_shown else None
            yield Hit(each.node, message, hint, severity=severity, fix=fix)


@rule("PAL112", Severity.WARNING)
def setting_encoded_twice(spec: Spec) -> Iterator[Hit]:
    """A setting is base64 once more than it should be.

    What stands in ``stringData`` is encoded by the API server; what stands in ``data`` is encoded already. Encoded once more,
    Palette reads base64 where it expects a host, a path or a list.

    Source: kubernetes/api v0.27.4 core/v1/types.go, ``Secret.StringData``.

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        data:
          BASE_PATH: WVdseVoyRndMV2x0WVdkbGN3PT0=  # <- PAL112
        stringData:
          DOMAIN: aGFyYm9yLmV4YW1wbGUub3Jn  # <- PAL112

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        data:
          BASE_PATH: YWlyZ2FwLWltYWdlcw==
        stringData:
          DOMAIN: harbor.example.org
    """
    for settings in settings_of_secrets(spec):
        for each in settings:
            is_accepted = (
                each is settings.authority and not each.is_encoded
            )  # PAL024 knows that form
            if _is_encoded_again(each.text) and not is_accepted:
                place = "data" if each.is_encoded else "stringData"
                times = "twice" if each.is_encoded else "already"
                hint = "encode it once" if each.is_encoded else "write plain text here"
                yield Hit(each.node, f"{each.name} in {place} seems to be encoded {times}", hint)


@rule("PAL113", Severity.WARNING)
def setting_in_both_places(spec: Spec) -> Iterator[Hit]:
    """A setting stands in ``data`` and, with another value, in ``stringData``.

    ``stringData`` wins: the other value is lost when the Secret is written.

    Source: kubernetes v1.27.4 pkg/apis/core/v1/conversion.go:406-414, ``Convert_v1_Secret_To_core_Secret``.

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        data:
          DOMAIN: b3RoZXIuZXhhbXBsZS5vcmc=  # <- PAL113
        stringData:
          DOMAIN: harbor.example.org

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: harbor.example.org
    """
    for secret in secrets(spec):
        plain = secret.get("stringData")
        for key, node in secret.get("data").fields():
            winner = plain.get(key)
            if winner and decoded(node.string()) != winner.string():
                message = (
                    f"{key} in data is lost: the API server replaces it with the one in stringData"
                )
                yield Hit(node, message, "keep one of them", related=((winner, "this one counts"),))


@rule("PAL114", Severity.WARNING)
def list_cut_by_comment(spec: Spec) -> Iterator[Hit]:
    """The list of mirrors goes on behind a ``#``.

    Without quotes, YAML takes a ``#`` after a blank for the beginning of a comment, and the entries behind it are gone.

    Source: YAML 1.2.2, section 6.6 (comments) and 7.3.3 (plain style).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          MIRROR_REGISTRIES: docker.io::harbor.example.org/a/hub #,gcr.io::harbor.example.org/a/gcr.io  # <- PAL114

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          MIRROR_REGISTRIES: docker.io::harbor.example.org/a/hub,gcr.io::harbor.example.org/a/gcr.io  # the list
    """
    for settings in settings_of(spec):
        node = settings.mirrors.node
        start, end = Positions(spec.text).range(node.span) if node.text else (0, 0)
        is_plain = node.text and spec.text[start:end] == node.text
        if is_plain and not settings.mirrors.is_encoded and _CUT.match(spec.text, end):
            message = "the list ends before the #: what stands behind it is a comment"
            yield Hit(node, message, "take the # out; quotes would keep it in the list")


def _is_encoded_again(text: str) -> bool:
    """Whether a text is evidently base64 of another text: not too short, and printable behind it."""
    stripped = text.strip()
    inner = decoded(stripped) if len(stripped) >= _SHORTEST else None
    return inner is not None and _PRINTABLE.fullmatch(inner) is not None


def _stripped(spec: Spec, setting: Setting) -> Fix | None:
    """The setting without the white space around it, in the form in which it stands."""
    text = setting.text.strip()
    written = base64.b64encode(text.encode()).decode() if setting.is_encoded else text
    return rewritten(spec, setting.node, written, "take the white space off")
