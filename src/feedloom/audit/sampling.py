"""Fetches a random sample of rows again, one by one, and compares them with the database field by field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedloom.audit.asking import all_of
from feedloom.audit.checks import Check, Request, Verdict
from feedloom.audit.judging import judge_fields
from feedloom.audit.shaping import Shaper
from feedloom.audit.stored import Tree, differences, key_of
from feedloom.audit.subject import Subject
from feedloom.columnar import ROW_HASH
from feedloom.http import Row

_FIELDS = "fields"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """One sampled row beside the vendor's.

    Attributes:
        key: Its primary key.
        request: What was asked; None where the row can't be asked for.
        row: The vendor's row; None where it has none.
        differing: Place -> what is here and what is there.
        is_same_there: The vendor's row is byte for byte the one that was loaded.
    """

    key: tuple[Any, ...]
    request: Request | None
    row: Row | None
    differing: dict[str, tuple[Any, Any]]
    is_same_there: bool


async def sample_checks(subject: Subject, *, count: int, seed: int) -> list[Check]:
    """A check for each sampled row; none of a table whose rows can't be asked for one by one."""
    if count == 0 or not subject.table.is_countable or (subject.table.single is None and not subject.is_whole_list):
        return []
    keys = subject.stored.sample_keys(count, seed)
    trees = subject.stored.trees(keys)
    shaper = Shaper(subject.pipeline, subject.vendor, subject.table)
    compared = await all_of(_compare(subject, shaper, key, trees[key_of(key)]) for key in keys)
    matched = [one.is_same_there for one in compared if one.row is not None and not one.differing]
    tells = bool(matched) and all(matched)
    late_from = subject.late_from
    return [_check(subject, one, late_from=late_from, hashes_tell=tells) for one in compared]


async def _compare(subject: Subject, shaper: Shaper, key: tuple[Any, ...], held: Tree) -> _Compared:
    row, request = await subject.look_up(key_of(key), held)
    if row is None:
        return _Compared(key=key, request=request, row=None, differing={}, is_same_there=False)
    here, there = _without_hash(held), _without_hash(shaper.tree(row))
    is_same_there = shaper.has_fingerprint(row, held.cells.get(ROW_HASH))
    return _Compared(key=key, request=request, row=row, differing=differences(here, there), is_same_there=is_same_there)


def _check(subject: Subject, one: _Compared, *, late_from: datetime | None, hashes_tell: bool) -> Check:
    """The verdict on a sampled row; *hashes_tell* says that rows which agree have the fingerprint that was loaded."""
    verdict, why = _judge(subject, one, late_from=late_from, hashes_tell=hashes_tell)
    key = one.key
    return Check(
        table=subject.table.name,
        name=_FIELDS,
        subject=", ".join(str(value) for value in key),
        here={place: here for place, (here, _) in one.differing.items()} or None,
        there={place: there for place, (_, there) in one.differing.items()} or None,
        verdict=verdict,
        why=why,
        query=lambda: subject.stored.query(key),
        request=one.request,
    )


def _judge(subject: Subject, one: _Compared, *, late_from: datetime | None, hashes_tell: bool) -> tuple[Verdict, str]:
    if one.request is None:
        return "not checked", "the row lacks what the vendor is asked for it by"
    if one.row is None:
        return "deleted at source", "the vendor no longer has the row"
    if not one.differing:
        return "matches", ""
    changed_there = not one.is_same_there if hashes_tell else None
    verdict = judge_fields(
        changed_there=changed_there,
        is_read_again=subject.is_whole_list or all(map(subject.is_copied, one.differing)),
        newest=subject.newest(one.row),
        late_from=late_from,
    )
    places = ", ".join(one.differing)
    return verdict, f"{_reason(verdict, changed_there=changed_there)}: {places}"


def _reason(verdict: Verdict, *, changed_there: bool | None) -> str:
    if verdict == "late data":
        return "changed at the source since the last sync, or inside its look-back"
    if changed_there is False:
        return "the vendor's row is the one that was loaded, and the row here is another"
    if changed_there:
        return "changed at the source in a way that no sync sees; `--full` reads it again"
    return "nothing in the vendor's row tells of a late change; `--full` reads it again"


def _without_hash(tree: Tree) -> Tree:
    return Tree({name: value for name, value in tree.cells.items() if name != ROW_HASH}, tree.children)
