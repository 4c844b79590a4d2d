"""What of a request is not taken, and why: the content of OTLP's partial success."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MAX_NS = 2**63 - 1
"""The last time a column holds: April 2262. OTLP's own range is twice that."""

_SHOWN_REASONS = 5
_SHOWN_LENGTH = 300


@dataclass(slots=True)
class Refusals:
    """Records that were refused, by reason."""

    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, records: int = 1) -> None:
        """Count records as refused; the reason goes back to the sender, and may hold what it sent."""
        self.reasons[reason[:_SHOWN_LENGTH]] += records

    @property
    def records(self) -> int:
        """How many records were refused, in OTLP's sense: spans, log records, data points."""
        return self.reasons.total()

    @property
    def message(self) -> str:
        """The reasons, the commonest first."""
        texts = [f"{reason} ({count} refused)" for reason, count in self.reasons.most_common(_SHOWN_REASONS)]
        more = len(self.reasons) - len(texts)
        return "; ".join(texts) + (f"; and {more} more reasons" if more else "")
