"""What the answers say: scores and their intervals, computed in the database under the vendor's counting rule."""

from feedloom.feedback.metrics import answered_questions, count_of, csat_of, distribution_of, nps_of, ratings_of
from feedloom.feedback.queries import read_rows, text_of
from feedloom.feedback.selection import Selection

__all__ = [
    "Selection",
    "answered_questions",
    "count_of",
    "csat_of",
    "distribution_of",
    "nps_of",
    "ratings_of",
    "read_rows",
    "text_of",
]
