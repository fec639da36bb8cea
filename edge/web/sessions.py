"""Who may act: sessions in memory, tries that are counted, and requests that come from this page and from no other.

A session is a cookie of 256 random bits (``HttpOnly; SameSite=Strict``), a name, and a second secret that each form
carries. A restart of the page ends them all. This module must never take a cookie alone for a wish to act.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

COOKIE = "halfpercent"
LASTS_S = 12 * 3600.0
MOST_SESSIONS = 100
TRIES, WITHIN_S = 10, 60.0
"""So many tokens may be tried from an address in so long; then 429."""
MOST_ADDRESSES = 1000


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who gave the token: the name they gave, the secret of their forms, and until when (monotonic s)."""

    operator: str
    csrf: str
    until_s: float


@dataclass(slots=True)
class Sessions:
    """All sessions, the oldest ended first where there are too many."""

    clock: Callable[[], float] = time.monotonic
    _of: OrderedDict[str, Session] = field(default_factory=OrderedDict)

    def begin(self, operator: str) -> str:
        """Begin a session. Get its cookie."""
        while len(self._of) >= MOST_SESSIONS:
            self._of.popitem(last=False)
        cookie = secrets.token_urlsafe(32)
        self._of[cookie] = Session(operator, secrets.token_urlsafe(24), self.clock() + LASTS_S)
        return cookie

    def find(self, cookie: str | None) -> Session | None:
        """Get the session of a cookie; None where there is none any more."""
        if cookie is None or (found := self._of.get(cookie)) is None:
            return None
        if self.clock() >= found.until_s:
            del self._of[cookie]
            return None
        return found

    def end(self, cookie: str | None) -> None:
        """End a session."""
        self._of.pop(cookie or "", None)


@dataclass(slots=True)
class Tries:
    """How often tokens were tried from each address in the last minute."""

    clock: Callable[[], float] = time.monotonic
    _of: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)

    def may(self, address: str) -> bool:
        """Count a try. False: there were too many."""
        now_s = self.clock()
        seen = self._of.setdefault(address, deque(maxlen=TRIES))
        self._of.move_to_end(address)
        while len(self._of) > MOST_ADDRESSES:
            self._of.popitem(last=False)
        while seen and now_s - seen[0] >= WITHIN_S:
            seen.popleft()
        if len(seen) >= TRIES:
            return False
        seen.append(now_s)
        return True


def is_from_here(origin: str | None, host: str | None, site: str | None) -> bool:
    """Say whether a request that changes something comes from a page of ours.

    ``origin``, ``host`` and ``site`` are its headers ``Origin``, ``Host`` and ``Sec-Fetch-Site``: a browser sends the
    first with every form; one that sends neither is no browser, and has no cookie of somebody else's.
    """
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin is None:
        return site is not None
    return bool(host) and urlsplit(origin).netloc == host


def is_own_form(given: str, session: Session) -> bool:
    """Say whether a form carries its session's secret."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), session.csrf.encode())
