"""What planner could not do, as exceptions that carry their exit code and the next step.

A mistake in a spec is not an exception: it is a ``Finding``.

    PlannerError
    ├── UsageError            64  an option, planner.yaml, or a combination of them
    ├── InputError            65  a file that cannot be read or written, or that contradicts itself
    ├── RegistryError         69  a store (registry or layout) refused, failed or lied
    ├── ClusterError          69  the workers that were to carry out a plan cannot be used
    ├── StaleError            75  the world is no longer the one that the saved plan saw
    └── NotApprovedError      77  somebody said no, or nobody could be asked
"""

DONE = 0
FAILED = 1
CHANGES = 2
BUG = 70
INTERRUPTED = 130


class PlannerError(Exception):
    """The job could not be done; ``hint`` is a next step that can be typed or looked at."""

    exit_code = FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(PlannerError):
    """The command line or planner.yaml asks for something that makes no sense."""

    exit_code = 64


class InputError(PlannerError):
    """A file is missing, unreadable, of the wrong kind, or contradicts itself; or it cannot be written."""

    exit_code = 65


class RegistryError(PlannerError):
    """A registry or layout could not do what was asked.

    ``status`` is the HTTP status, 0 when there was no answer; ``code`` the registry's own error code
    (``MANIFEST_UNKNOWN``…); ``retryable`` says whether the same request may succeed later, and ``tries`` how often it was made.
    """

    exit_code = 69

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        status: int = 0,
        code: str = "",
        retryable: bool = False,
        tries: int = 1,
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code
        self.retryable = retryable
        self.tries = tries

    def __reduce__(self) -> tuple[object, ...]:
        state = {"status": self.status, "code": self.code, "retryable": self.retryable}
        return (type(self), (self.message, self.hint), {**state, "tries": self.tries})


class ClusterError(PlannerError):
    """The cluster that was to carry out a plan is not there, or is not fit for it."""

    exit_code = 69


class StaleError(PlannerError):
    """A saved plan no longer fits its inputs or its target."""

    exit_code = 75


class NotApprovedError(PlannerError):
    """The plan was declined, or there was nobody to ask."""

    exit_code = 77
