"""Figures of a run in Prometheus' text format, for the textfile collector of its node exporter.

Source: prometheus.io/docs/instrumenting/exposition_formats (text format 0.0.4) and prometheus.io/docs/practices/naming.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

_LABEL = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})
_HELP = str.maketrans({"\\": "\\\\", "\n": "\\n"})


class Sample(NamedTuple):
    """One value, by labels."""

    labels: Mapping[str, str]
    value: float


class Metric(NamedTuple):
    """A family of samples. The name of a counter ends with ``_total``, behind its unit."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: tuple[Sample, ...]


def to_text(metrics: Iterable[Metric]) -> str:
    """All metrics; one without samples is left out."""
    return "".join(map(_family, (each for each in metrics if each.samples)))


def _family(metric: Metric) -> str:
    lines = [
        f"# HELP {metric.name} {metric.help.translate(_HELP)}",
        f"# TYPE {metric.name} {metric.kind}",
        *(f"{metric.name}{_labels(each.labels)} {_number(each.value)}" for each in metric.samples),
    ]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{value.translate(_LABEL)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _number(value: float) -> str:
    return str(round(value, 3)) if value % 1 else str(int(value))
