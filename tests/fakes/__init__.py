"""Servers on 127.0.0.1 that stand in for registries and other hosts in tests.

They exist for faults and for servers that cannot be had; what can be tested against a real
registry should be.
"""

from .auth import Access, Basic, Bearer, TokenRequest
from .faults import (
    Action,
    AddHeaders,
    ChangeCall,
    ChangeReply,
    CutAfter,
    CutUploadAfter,
    DropHeader,
    Fault,
    Faults,
    LinkLoop,
    ReadSlowly,
    RedirectTo,
    Reset,
    Stall,
    StallAfter,
    Status,
    Trickle,
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
    "ChangeCall",
    "ChangeReply",
    "CutAfter",
    "CutUploadAfter",
    "DropHeader",
    "FakeRegistry",
    "Fault",
    "Faults",
    "LinkLoop",
    "OtherHost",
    "ReadSlowly",
    "RedirectTo",
    "Request",
    "Reset",
    "Stall",
    "StallAfter",
    "Status",
    "TokenRequest",
    "Trickle",
    "Truncate",
    "WrongBytes",
    "WrongDigestHeader",
]
