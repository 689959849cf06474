"""Files that are no YAML, or of no kind that planner knows: which of them are worth a finding, and which one."""

from __future__ import annotations

from collections.abc import Iterator

from planner.config import KIND
from planner.core import templated
from planner.core.document import Span, Spec
from planner.core.lint import BUILT_IN, Finding, in_order, lint
from planner.specs import NAMES, family_named, kind_said, may_be_ours


def is_template(spec: Spec) -> bool:
    """Whether it is no YAML before a template engine has read it."""
    return templated.is_templated(spec)


def of_template(spec: Spec, kind: str) -> list[Finding]:
    """What can be said of such a file."""
    plain, family = templated.neutral(spec), family_named(kind)
    if templated.is_broken(plain):
        return [templated.note(spec, is_read=False)]
    found = lint(plain, family.layers(plain), ()) if family else ()
    return in_order([templated.note(spec, is_read=True), *templated.judged(spec, found)])


def is_broken_spec(spec: Spec) -> bool:
    """Whether a file of no known kind cannot be read, and shows a sign of being a spec.

    In a template, what is indented shows nothing: whatever a chart deploys stands there.
    """
    if not templated.is_broken(spec):
        return False
    if not is_template(spec):
        return may_be_ours(spec.file, spec.text)
    is_readable = not templated.is_broken(templated.neutral(spec))
    return not is_readable and may_be_ours(spec.file, templated.top_level(spec.text))


def unknown_kind(spec: Spec) -> Iterator[Finding]:
    """A comment that says what the file is, in a word that is no kind."""
    said, known = kind_said(spec.text), (*NAMES, KIND)
    if said and said not in known:
        before, _, _ = spec.text.partition(f"kind={said}")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        span = Span(line, column, line, column + len(f"kind={said}"))
        message, hint = f"there is no kind {said!r}", f"one of {', '.join(known)}"
        yield Finding(spec.file, span, "CFG003", BUILT_IN["CFG003"][0], message, hint)
