"""Suppression comments: what they say, which findings they hide, and what is wrong with them.

    key: value  # planner: ignore[CODE,name] until=2027-01-31 ticket=OPS-12 the reason
    # planner: ignore[CODE] alone on its line: the next entry or item, and everything below it
    # planner: disable[CODE] from here on, until  # planner: enable[CODE]
    # planner: ignore-file[CODE] the whole file

A word in the brackets is a code, a name, or the beginning of codes. There is no form without one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from planner.core.choice import codes_of, suggestion
from planner.core.comments import Comment, comments
from planner.core.document import Spec
from planner.core.lint import BUILT_IN, MARK, Finding, Suppression, built_in_severity, in_order
from planner.core.mending import without_comment
from planner.core.text import closest

_VERBS = ("ignore", "ignore-file", "disable", "enable")
_VERB = re.compile(rf"{MARK}\s*([\w-]*)\s*(\[?)")
_FORM = re.compile(rf"{MARK}\s*({'|'.join(_VERBS)})\[([\w\s,]*)\](?:\s+(.*))?")
_UNTIL = re.compile(r"(?:^|\s)until=(\S*)")
_HOW = "write # planner: ignore[CODE] and a reason"
_HYGIENE = "SUP"


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """One well-formed comment: ``words`` with the codes they stand for. ``until`` is its last day."""

    comment: Comment
    verb: str
    words: Mapping[str, frozenset[str]]
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The name of each code there is, and the codes that were looked for in this run."""

    known: Mapping[str, str]
    run: frozenset[str]


def suppress(
    spec: Spec, findings: Iterable[Finding], rules: Rules, *, today: date
) -> list[Finding]:
    """The findings, marked where a comment hides them, and those about the comments themselves."""
    made = [(each, _parse(each, rules.known)) for each in comments(spec.text, MARK)]
    marks = [mark for _, mark in made if isinstance(mark, Mark)]
    wrong = [
        _finding(spec, "SUP004", comment, complaint, _HOW)
        for comment, complaint in made
        if isinstance(complaint, str) and complaint
    ]
    reach = _Reach([mark for mark in marks if not _is_over(mark, today)])
    done = [reach.marked(finding) for finding in findings]
    wrong.extend(_unknown_words(spec, marks, rules.known))
    wrong.extend(_expired(spec, marks, today))
    if not any(problem.kind != "duplicate" for problem in spec.problems):
        over = {(mark, word) for mark in marks if _is_over(mark, today) for word in mark.words}
        wrong.extend(_unused(spec, marks, reach.used | over, rules.run))
    looked_for = (reach.marked(each) for each in wrong if each.code in rules.run)
    return in_order([*done, *looked_for])


def _parse(comment: Comment, known: Mapping[str, str]) -> Mark | str:
    """The comment as a mark, or what is wrong with it; empty when it is not meant as one."""
    form = _FORM.fullmatch(comment.text)
    if not form:
        return _complaint(comment.text)
    words = [word.strip() for word in form[2].split(",")]
    if not all(words) or any(" " in word for word in words):
        return "the brackets must hold codes or names, separated by commas"
    rest = form[3] or ""
    until = _UNTIL.search(rest)
    day = _day(until[1]) if until else None
    if until and not day:
        return f"until={until[1]} is not a date like 2027-01-31"
    reason = " ".join(_UNTIL.sub("", rest).split())
    return Mark(comment, form[1], {word: codes_of(word, known) for word in words}, reason, day)


def _complaint(text: str) -> str:
    match = _VERB.match(text)
    verb, bracket = (match[1], match[2]) if match else ("", "")
    if verb in _VERBS:
        return f"{verb} needs the rules in brackets right behind it: nothing hides all of them"
    if bracket or closest(verb, _VERBS):
        return f"{verb!r} is none of {', '.join(_VERBS)}"
    return ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def _is_over(mark: Mark, today: date) -> bool:
    return mark.until is not None and mark.until < today


class _Reach:
    """Which marks reach a finding, the nearest first; and which of their words have ever hidden one."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self.used: set[tuple[Mark, str]] = set()
        self._beside: defaultdict[int, list[Mark]] = defaultdict(list)
        self._above: defaultdict[int, list[Mark]] = defaultdict(list)
        self._wide = [mark for mark in marks if mark.verb in ("ignore-file", "disable")]
        self._ends = [mark for mark in marks if mark.verb == "enable"]
        for mark in (each for each in marks if each.verb == "ignore"):
            comment = mark.comment
            lines = self._beside if comment.first == comment.span.line else self._above
            for line in range(comment.first, comment.last + 1):
                lines[line].append(mark)

    def marked(self, finding: Finding) -> Finding:
        """The finding, suppressed by the nearest mark that reaches it; all that do are noted as used."""
        reaching = [
            (mark, word)
            for mark in self._around(finding)
            for word, codes in mark.words.items()
            if finding.code in codes
        ]
        self.used.update(reaching)
        if not reaching:
            return finding
        return finding._replace(suppressed=Suppression("comment", reaching[0][0].reason))

    def _around(self, finding: Finding) -> Iterator[Mark]:
        for line in range(finding.span.line, finding.span.end_line + 1):
            yield from self._beside.get(line, ())
        yield from self._above.get(finding.span.line, ())
        yield from (mark for mark in self._wide if self._is_in_force(mark, finding))

    def _is_in_force(self, mark: Mark, finding: Finding) -> bool:
        start, line = mark.comment.span.line, finding.span.line
        return mark.verb == "ignore-file" or (
            start <= line
            and not any(
                start < end.comment.span.line <= line and _enables(end, finding.code)
                for end in self._ends
            )
        )


def _enables(mark: Mark, code: str) -> bool:
    return any(code in codes for codes in mark.words.values())


def _unused(
    spec: Spec, marks: Sequence[Mark], used: set[tuple[Mark, str]], run: frozenset[str]
) -> Iterator[Finding]:
    disabled: set[str] = set()
    for mark in marks:
        idle = [
            word for word, codes in mark.words.items() if codes & run and (mark, word) not in used
        ]
        if mark.verb == "enable":
            idle = [word for word in idle if not mark.words[word] & disabled]
        elif mark.verb == "disable":
            disabled.update(*mark.words.values())
        idle = [word for word in idle if not _is_hygiene(mark.words[word])]
        if idle:
            message = f"{mark.verb}[{','.join(idle)}] has nothing to {_task(mark)}"
            found = _finding(spec, "SUP001", mark.comment, message, "remove it")
            yield found._replace(fix=without_comment(spec, mark.comment.span, idle))


def _task(mark: Mark) -> str:
    return "end: nothing is disabled here" if mark.verb == "enable" else "suppress"


def _is_hygiene(codes: frozenset[str]) -> bool:
    """Whether it is about comments: these are judged before it is known what else they hide."""
    return any(code.startswith(_HYGIENE) for code in codes)


def _expired(spec: Spec, marks: Iterable[Mark], today: date) -> Iterator[Finding]:
    for mark in marks:
        if _is_over(mark, today):
            message = f"{mark.verb}[{','.join(mark.words)}] ended with {mark.until}"
            hint = "mend what it hid, or set a new date"
            yield _finding(spec, "SUP002", mark.comment, message, hint)


def _unknown_words(
    spec: Spec, marks: Iterable[Mark], known: Mapping[str, str]
) -> Iterator[Finding]:
    for mark in marks:
        for word in (word for word, codes in mark.words.items() if not codes):
            message = f"there is no rule {word!r}"
            yield _finding(spec, "SUP003", mark.comment, message, suggestion(word, known))


def _finding(spec: Spec, code: str, comment: Comment, message: str, hint: str) -> Finding:
    name, severity = BUILT_IN[code][0], built_in_severity(code)
    return Finding(spec.file, comment.span, code, name, message, hint, severity)
