"""Exports of texts as XLIFF in a zip file, and imports of their translations: as little as a client can tell apart.

Source: openapi.yaml, paths below /v1/localization, with their own statuses beyond HTTP's.
"""

from __future__ import annotations

import re
from io import BytesIO
from xml.sax.saxutils import escape, quoteattr
from zipfile import BadZipFile, ZipFile, ZipInfo

from feedloom.emulator.behaviour import Answer

NOT_PARSED = 432
NO_ID = 433
NOT_FOUND = 435

_NOTHING = b""
_ORIGINAL = re.compile(rb'<file\s[^>]*\boriginal="([^"]+)"')
_MADE = (2026, 11, 1, 0, 0, 0)
_XLIFF = """<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2"><file original={id} source-language="en" target-language={language} datatype="html"><body>
<trans-unit id="name"><source>{name}</source></trans-unit>
</body></file></xliff>
"""


def exported(*, thing_id: str, name: str | None, language: str) -> Answer:
    """The texts of a thing as a zip file; 435 when there is no such thing, which *name* None stands for."""
    if name is None:
        return Answer(body=_NOTHING, status=NOT_FOUND)
    text = _XLIFF.format(id=quoteattr(thing_id), language=quoteattr(language), name=escape(name))
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        archive.writestr(ZipInfo("texts.xliff", date_time=_MADE), text)
    return Answer(body=stream.getvalue(), media_type="application/octet-stream")


def imported(file: bytes) -> Answer:
    """The answer to a zip file of translations: 432 when it cannot be parsed, 433 when it names nothing."""
    try:
        with ZipFile(BytesIO(file)) as archive:
            texts = [archive.read(name) for name in archive.namelist()]
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        return Answer(body=_NOTHING, status=NOT_PARSED)
    if not texts or not all(b"<xliff" in text for text in texts):
        return Answer(body=_NOTHING, status=NOT_PARSED)
    return Answer(body=_NOTHING, status=200 if all(map(_ORIGINAL.search, texts)) else NO_ID)
