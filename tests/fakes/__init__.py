"""Servers on 127.0.0.1 that stand in for registries and other hosts in tests.

They exist for faults and for servers that cannot be had; what can be tested against a real
registry should be.
"""

from .auth import Access, Basic, Bearer, TokenRequest
from .faults import (
    Action,
    AddHeaders,
    CutAfter,
    CutUploadAfter,
    DropHeader,
    Fault,
    Faults,
    LinkLoop,
    RedirectTo,
    Reset,
    Stall,
    Status,
    Truncate,
    WrongBytes,
    WrongDigestHeader,
)
from .messages import Request
from .other_host import OtherHost
from .registry import FakeRegistry

__all__ = [
    "Access",
    "Action",
    "AddHeaders",
    "Basic",
    "Bearer",
    "CutAfter",
    "CutUploadAfter",
    "DropHeader",
    "FakeRegistry",
    "Fault",
    "Faults",
    "LinkLoop",
    "OtherHost",
    "RedirectTo",
    "Request",
    "Reset",
    "Stall",
    "Status",
    "TokenRequest",
    "Truncate",
    "WrongBytes",
    "WrongDigestHeader",
]
