"""What feedloom is meant to reach, each aim held against the figures. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benching.cases import TEN_MILLION, Case, Destination
from benching.results import Figure

_MEMORY_MB = 1_000
_LINEAR_WITHIN = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One aim and what came of it.

    Attributes:
        aim: What was meant, in words.
        measured: What was found, sizes included; empty when something that it needs was not measured.
        is_met: Whether that is enough.
    """

    aim: str
    measured: str = ""
    is_met: bool = False

    @property
    def word(self) -> str:
        """The verdict as the page says it."""
        if not self.measured:
            return "not measured"
        return "met" if self.is_met else "**not met**"


def verdicts(figures: Mapping[Case, Figure]) -> list[Verdict]:
    """Each aim, in order of importance."""
    return [
        _times(figures, "15 times dlt tuned", least=15, peer="dlt-tuned"),
        _times(figures, "50 times dlt as its example runs", least=50, peer="dlt-seed"),
        _times(
            figures,
            "not slower than DuckDB's own reader, one core against one thread",
            least=1,
            peer="duckdb-one-thread",
            own="feedloom-one-core",
        ),
        _ten_million(figures),
        _times(
            figures, "into PostgreSQL, 5 times dlt's default there", least=5, peer="dlt-seed", destination="postgres"
        ),
        _times(
            figures,
            "with 300 ms a page, 10 times one cursor, where windows allow it (Gainsight PX)",
            least=10,
            peer="one-cursor",
            subject="aptrinsic",
            latency_ms=300,
        ),
    ]


def _times(
    figures: Mapping[Case, Figure],
    aim: str,
    *,
    least: float,
    peer: str,
    own: str = "feedloom",
    subject: str = "refiner",
    destination: Destination = "duckdb",
    latency_ms: int = 0,
) -> Verdict:
    """*own* against *peer*, at the largest size that both have; else each at its largest, and both sizes are told."""

    def by_rows(name: str) -> dict[int, Figure]:
        return {
            case.rows: figure
            for case, figure in figures.items()
            if (case.peer, case.subject, case.destination, case.latency_ms) == (name, subject, destination, latency_ms)
            and figure.runs
        }

    ours, theirs = by_rows(own), by_rows(peer)
    if not ours or not theirs:
        return Verdict(aim=aim)
    common = ours.keys() & theirs.keys()
    mine, other = ours[max(common or ours)], theirs[max(common or theirs)]
    ratio = mine.rows_s / other.rows_s
    sizes = f"{mine.rows:,} rows" if mine.case.rows == other.case.rows else f"{mine.rows:,} rows against {other.rows:,}"
    return Verdict(aim=aim, measured=f"{ratio:.1f} times ({sizes})", is_met=ratio >= least)


def _ten_million(figures: Mapping[Case, Figure]) -> Verdict:
    """Memory at ten million rows, and the time of a row there against that at one million."""
    aim = "10,000,000 rows in under 1 GB, in time linear in rows"
    found = [figures.get(Case(subject="refiner", rows=rows, peer="feedloom")) for rows in (1_000_000, TEN_MILLION)]
    if not all(figure is not None and figure.runs for figure in found):
        return Verdict(aim=aim)
    million, most = (figure for figure in found if figure is not None)
    slower = million.rows_s / most.rows_s
    return Verdict(
        aim=aim,
        measured=f"{most.peak_mb:,.0f} MB; a row takes {slower:.2f} times as long as at 1,000,000",
        is_met=most.peak_mb < _MEMORY_MB and slower <= _LINEAR_WITHIN,
    )
