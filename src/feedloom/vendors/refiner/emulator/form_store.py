"""The surveys of an environment, and what writes did to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from feedloom.emulator.identifiers import Identifiers
from feedloom.emulator.timeline import START_S
from feedloom.vendors.refiner.emulator.records import Form, FormEdit
from feedloom.vendors.refiner.emulator.surveys import SURVEYS, Survey

_DAY_S = 86_400
_DRAFTED_DAYS = 10


class FormStore:
    """Every form by its sequence number; those of the base data first, copies after them."""

    def __init__(self, *, seed: int) -> None:
        self._ids = Identifiers(seed=seed, kind=4)
        self._edit_ids = Identifiers(seed=seed, kind=7)
        self._edits = 0
        self.all = [self._from_survey(seq=seq, survey=survey) for seq, survey in enumerate(SURVEYS)]

    def by_uuid(self, uuid: str) -> Form | None:
        """The form with that uuid."""
        seq = self._ids.index(uuid)
        return self.all[seq] if seq is not None and seq < len(self.all) and self.all[seq].uuid == uuid.lower() else None

    def publish(self, form: Form, *, published: bool, now_s: int) -> None:
        """Publish *form*, or take it back."""
        self._note(form, action="publish" if published else "unpublish", now_s=now_s)
        form.published_s = now_s if published else None

    def archive(self, form: Form, *, now_s: int) -> None:
        """Archive *form*, which stays listable."""
        self._note(form, action="archive", now_s=now_s)
        form.archived_s = form.archived_s or now_s

    def edit_question(self, form: Form, identifier: str, changes: Mapping[str, Any], *, now_s: int) -> bool:
        """Change members of one question of *form*; returns whether it has one of that name."""
        edited = tuple(
            replace(question, **changes) if question.identifier == identifier else question
            for question in form.questions
        )
        if edited == form.questions:
            return any(question.identifier == identifier for question in edited)
        self._note(form, action="update", now_s=now_s)
        form.questions = edited
        return True

    def duplicate(self, form: Form, *, name: str, now_s: int) -> Form:
        """A draft with the questions of *form*, added to the store."""
        seq = len(self.all)
        copy = replace(
            form,
            seq=seq,
            uuid=self._ids.uuid(index=seq, moment_s=now_s),
            name=name,
            created_s=now_s,
            updated_s=now_s,
            published_s=None,
            archived_s=None,
            history=[],
        )
        self.all.append(copy)
        return copy

    def _note(self, form: Form, *, action: str, now_s: int) -> None:
        form.history.append(self._edit(form=form, action=action, name=form.name, moment_s=now_s))
        form.updated_s = now_s

    def _edit(self, *, form: Form, action: str, name: str, moment_s: int) -> FormEdit:
        self._edits += 1
        uuid = self._edit_ids.uuid(index=self._edits, moment_s=moment_s)
        return FormEdit(uuid=uuid, action=action, name=name, questions=form.questions, created_s=moment_s)

    def _from_survey(self, *, seq: int, survey: Survey) -> Form:
        published_s = START_S + survey.from_day * _DAY_S
        created_s = published_s - (_DRAFTED_DAYS + seq) * _DAY_S
        form = Form(
            seq=seq,
            uuid=self._ids.uuid(index=seq, moment_s=created_s),
            name=survey.name,
            questions=survey.questions,
            channels=survey.channels,
            folder=survey.folder,
            created_s=created_s,
            updated_s=created_s,
            published_s=published_s if survey.weight else None,
            archived_s=START_S + survey.to_day * _DAY_S if survey.to_day is not None else None,
        )
        for day, action, name in survey.edits:
            form.updated_s = START_S + day * _DAY_S + seq * 60
            form.history.append(self._edit(form=form, action=action, name=name, moment_s=form.updated_s))
        return form
