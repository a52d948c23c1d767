"""Changes of fields and questions in words: for the report of a sync, and for ``feedloom schema``."""

from __future__ import annotations

from collections.abc import Sequence

from feedloom.sync.drift import Kind
from feedloom.sync.report import TableReport

_MOST_TOLD = 4


def drift_notes(row: TableReport, source: str) -> list[str]:
    """What changed in a table of a sync, on at most two lines: its fields, and the questions of surveys in it."""
    fields = [
        change_in_words(
            change.kind, place(change.table, change.column, row.table), old=change.old_type, new=change.new_type
        )
        for change in row.schema_changes
    ]
    aspects: dict[str, list[str]] = {}
    for change in row.question_changes:
        said = aspects.setdefault(f"{change.question} ({change.form_name or change.form})", [])
        said += [] if change.aspect in said else [change.aspect]
    questions = [f"{name}: {', '.join(said)}" for name, said in aspects.items()]
    return [
        *_line(fields, "schema change", f"feedloom schema changes {source}"),
        *_line(questions, "changed question", f"feedloom schema questions {source}"),
    ]


def place(table: str, column: str | None, root: str) -> str:
    """Where in the rows of the table *root* a field stands."""
    below = table.removeprefix(f"{root}__") if table != root else ""
    return ".".join(part for part in (below, column) if part)


def change_in_words(kind: Kind, name: str, *, old: str | None, new: str | None) -> str:
    """A change of the field, or of the list, called *name*."""
    match kind:
        case "new column":
            return f"new column {name} ({new})"
        case "new type":
            return f"{name} was {old}, now also {new}"
        case "new list":
            return f"new list {name}"
        case "no values":
            return f"no values come in {name} any more"
        case "values again":
            return f"values come in {name} again"
        case "unknown list":
            return f"answers hold a list {name} beside their rows, which is not loaded"


def _line(told: Sequence[str], what: str, command: str) -> list[str]:
    if not told:
        return []
    number = f"1 {what}" if len(told) == 1 else f"{len(told):,} {what}s"
    more = [f"{len(told) - _MOST_TOLD:,} more"] if len(told) > _MOST_TOLD else []
    return [f"{number}: {'; '.join([*told[:_MOST_TOLD], *more])}  ({command})"]
