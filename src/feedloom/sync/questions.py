"""Recognises questions of surveys that changed: their text, type or scale, from one load to the next.

Only what the survey's configuration says is compared, in the places that the catalogue names; where it is written
otherwise, nothing is told. What was compared last stands in a file of the pipeline's folder, like what is known of
fields (see ``drift``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
import orjson
import sqlglot
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Questions, Table
from feedloom.http.answer import dig
from feedloom.sync.queries import ask, at, column, has_column, relation

Question: TypeAlias = dict[str, str]
"""Aspect -> its value: a text as it is, anything else as JSON."""

ITSELF = "question"
"""The aspect of a question that came or went; its value is the question's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionChange:
    """How a question of a survey changed.

    Attributes:
        form: Key of the survey.
        form_name: Its name.
        question: Identifier of the question, under which its answers stand.
        aspect: What changed: ``text``, ``type``, ``scale``, ``options``, or ``question`` where one came or went.
        old, new: Its value before and after; None where there was none.
        seen_in: ``config``: between two loads of the survey; ``history``: between two of its earlier versions.
        version_at: When the later of these versions was noted, in UTC; None for the survey as it is now.
    """

    form: str
    form_name: str | None
    question: str
    aspect: str
    old: str | None
    new: str | None
    seen_in: Literal["config", "history"]
    version_at: datetime | None = None

    @property
    def digest(self) -> str:
        """The same for the same change, wherever it was seen."""
        told = orjson.dumps([self.form, self.question, self.aspect, self.old, self.new])
        return blake2b(told, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A survey at one time: its name, and its questions by identifier."""

    name: str | None
    questions: dict[str, Question]


@dataclass(slots=True, kw_only=True)
class Known:
    """What is kept: each survey as it was last seen, its last earlier version, and up to where versions were compared.

    ``told`` holds digests of changes that were seen in surveys, and may show up in their history later.
    """

    forms: dict[str, Version] = field(default_factory=dict)
    snapshots: dict[str, Version] = field(default_factory=dict)
    compared: tuple[str, str] = ("", "")
    told: list[str] = field(default_factory=list)


def version_of(row: Mapping[str, Any], where: Questions) -> Version | None:
    """The survey in *row*; None where its questions do not stand where they should."""
    elements = dig(row, where.path)
    if not isinstance(elements, list):
        return None
    questions: dict[str, Question] = {}
    for element in elements:
        key = element.get(where.key) if isinstance(element, dict) else None
        if not isinstance(key, str):
            return None
        questions[key] = {aspect: _text(element[aspect]) for aspect in where.aspects if element.get(aspect) is not None}
    name = dig(row, where.title)
    return Version(name=name if isinstance(name, str) else None, questions=questions)


def changes_between(
    form: str,
    before: Version,
    after: Version,
    *,
    seen_in: Literal["config", "history"],
    version_at: datetime | None = None,
) -> Iterator[QuestionChange]:
    """How the questions of *form* changed, in their order, those that went last."""
    for key in [*after.questions, *(key for key in before.questions if key not in after.questions)]:
        old, new = before.questions.get(key), after.questions.get(key)
        if old is None or new is None:
            old, new = (None if one is None else {ITSELF: one.get("text", key)} for one in (old, new))
        for aspect in dict.fromkeys([*(new or {}), *(old or {})]):
            values = (old or {}).get(aspect), (new or {}).get(aspect)
            if values[0] != values[1]:
                yield QuestionChange(
                    form=form,
                    form_name=after.name,
                    question=key,
                    aspect=aspect,
                    old=values[0],
                    new=values[1],
                    seen_in=seen_in,
                    version_at=version_at,
                )


class QuestionWatch:
    """Watches the surveys of a vendor through one run."""

    def __init__(self, pipeline: Pipeline, tables: Sequence[Table]) -> None:
        self._pipeline = pipeline
        self._file = Path(pipeline.pipelines_dir) / "fields" / f"{pipeline.pipeline_name}_questions.json"
        self._surveys = next((table for table in tables if table.questions and not table.questions.moment), None)
        known = _read(self._file)
        self._known = known or Known()
        if known is None and self._surveys is not None and pipeline.default_schema_name is not None:
            self._known.forms = dict(self._versions(self._surveys))
        self._is_changed = False

    def settle(self, table: Table) -> list[QuestionChange]:
        """What changed in the surveys, once *table* is loaded; nothing for tables that hold none."""
        if table.questions is None:
            return []
        self._is_changed = True
        return self._of_history(table, table.questions) if table.questions.moment else self._of_surveys(table)

    def keep(self) -> None:
        """Keep what was compared: call it when what changed is in the ledger."""
        if self._is_changed:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            written = self._file.with_suffix(".part")
            written.write_bytes(msgspec.json.encode(self._known))
            written.replace(self._file)

    def _of_surveys(self, table: Table) -> list[QuestionChange]:
        known = self._known
        found: list[QuestionChange] = []
        for form, version in self._versions(table):
            if form in known.forms:
                found += changes_between(form, known.forms[form], version, seen_in="config")
            known.forms[form] = version
        known.told += [change.digest for change in found]
        return found

    def _of_history(self, table: Table, where: Questions) -> list[QuestionChange]:
        """What changed between earlier versions, and from the last of them to the survey as it is."""
        known = self._known
        found: list[QuestionChange] = []
        touched: set[str] = set()
        for row in self._rows(table, where):
            moment = row[where.moment].astimezone(UTC)
            place = (moment.isoformat(), str(row[table.primary_key[-1]]))
            version = version_of(row, where)
            if place <= known.compared or version is None:
                continue
            form = str(row[where.form])
            if form in known.snapshots:
                before = known.snapshots[form]
                found += changes_between(form, before, version, seen_in="history", version_at=moment)
            known.snapshots[form] = version
            known.compared = place
            touched.add(form)
        for form in sorted(touched & known.forms.keys()):
            found += changes_between(form, known.snapshots[form], known.forms[form], seen_in="history")
        return self._not_told(found)

    def _versions(self, table: Table) -> Iterator[tuple[str, Version]]:
        """Each survey that the database holds, as far as its questions can be read."""
        if (where := table.questions) is not None:
            for row in self._rows(table, where):
                if (version := version_of(row, where)) is not None:
                    yield str(row[where.form]), version

    def _rows(self, table: Table, where: Questions) -> Iterator[dict[str, Any]]:
        """The rows of *table* by top-level field, as far as they may be new: by time, where they have one."""
        pipeline, names = self._pipeline, [where.form, where.path.partition(".")[0], where.title.partition(".")[0]]
        names += [where.moment, *table.primary_key] if where.moment else []
        names = [name for name in dict.fromkeys(names) if has_column(pipeline, table.name, name)]
        if where.path.partition(".")[0] not in names:
            return
        query = sqlglot.select(*(column(pipeline, name) for name in names)).from_(relation(pipeline, table.name))
        if where.moment:
            moment = column(pipeline, where.moment)
            query = query.order_by(moment, column(pipeline, table.primary_key[-1]))
            if self._known.compared[0]:
                query = query.where(moment >= at(datetime.fromisoformat(self._known.compared[0])))
        for values in ask(pipeline, query):
            row = dict(zip(names, values, strict=True))
            if not where.moment or row[where.moment] is not None:
                yield {name: _parsed(value) if name in table.json_columns else value for name, value in row.items()}

    def _not_told(self, found: Sequence[QuestionChange]) -> list[QuestionChange]:
        """Those of *found* that were not seen in the surveys before."""
        new = []
        for change in found:
            if change.digest not in self._known.told:
                new.append(change)
                self._known.told.append(change.digest)
        return new


def _read(file: Path) -> Known | None:
    """What *file* keeps; None where there is none, or it was written by another version."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Known)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _parsed(value: Any) -> Any:
    """JSON as a database gives it: read already, or as text."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
