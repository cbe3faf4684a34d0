"""The value of a fact that has not been read: it can't be compared, counted with or believed."""

from __future__ import annotations

from typing import Any, Final, Never


class UnknownFact(Exception):
    """An expression needed a fact that is not known; never reaches a user."""


class Unknown:
    """The type of `UNKNOWN`. Every use as a value raises `UnknownFact`.

    Conditions ask for it by identity before they use a fact. What forgets to ask fails, so a missing fact can
    never be mistaken for false.
    """

    __slots__ = ()

    def _refuse(self, *_: Any) -> Never:
        raise UnknownFact

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __truediv__ = __rtruediv__ = __neg__ = __abs__ = __contains__ = __hash__ = _refuse

    def __repr__(self) -> str:
        return "unknown"

    def __reduce__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
