"""Who is shown each row of the base data, and which rows a contact has: arithmetic in both directions.

Rows come in rounds of five. In a round the first row goes to a contact who is new (or was there from the beginning, a
founder), the others to contacts who were first shown something a while ago, each of the four at a lag of its own. As
long as nobody is that old, a founder takes the row.
"""

from __future__ import annotations

from math import gcd

STREAMS = 5
_LAGS = (0.0, 0.06, 0.15, 0.27, 0.42)
"""Share of all rounds after which each stream comes back to a contact."""

_SMALLEST = 20
_FOUNDERS = 10
_TURN = 0.618


class Encounters:
    """The pairing of ``rows`` base rows with ``contacts`` base contacts."""

    def __init__(self, *, rows: int) -> None:
        self._rows = rows
        self._rounds = -(-rows // STREAMS)
        self.contacts = max(_SMALLEST, self._rounds)
        self.founders = max(1, self._rounds // _FOUNDERS)
        self._lags = tuple(int(self._rounds * lag) for lag in _LAGS)
        self._factor = _coprime(near=int(self.founders * _TURN), to=self.founders)
        self._unfactor = pow(self._factor, -1, self.founders)

    def contact(self, row: int) -> int:
        """The contact who is shown *row*."""
        number, stream = divmod(row, STREAMS)
        lag = self._lags[stream]
        if number >= lag:
            return number - lag
        return (number * self._factor + stream) % self.founders

    def rows(self, contact: int) -> list[int]:
        """The rows that *contact* is shown, oldest first."""
        rows = []
        for stream, lag in enumerate(self._lags):
            if contact + lag < self._rounds:
                rows.append((contact + lag) * STREAMS + stream)
            if contact < self.founders:
                first = (contact - stream) * self._unfactor % self.founders
                rows.extend(number * STREAMS + stream for number in range(first, lag, self.founders))
        return sorted(row for row in rows if row < self._rows)


def _coprime(*, near: int, to: int) -> int:
    candidate = max(1, near)
    while gcd(candidate, to) != 1:
        candidate += 1
    return candidate
