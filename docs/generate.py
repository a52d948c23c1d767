#!/usr/bin/env python3
"""Writes ``docs/reference/<vendor>.md`` from the catalogue of each vendor, and ``tools.md`` from the registry of tools.

``python docs/generate.py`` writes the pages; with ``--check`` it writes nothing and exits 1 when a page is stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from feedloom.catalogue import (
    Auth,
    CursorPaging,
    Endpoint,
    Field,
    Known,
    Limit,
    NoPaging,
    NumberPaging,
    Paging,
    Param,
    ScrollPaging,
    Source,
    Table,
    Vendor,
    Window,
)
from feedloom.tools.every import every_tool
from feedloom.tools.page import tools_page
from feedloom.vendors import VENDORS

FOLDER = Path(__file__).parent / "reference"
MADE_BY = "<!-- Made by docs/generate.py from the catalogue; changes made here are lost. -->"

AUTH_WORDS: Mapping[str, str] = {
    "bearer": "as bearer token in the header `Authorization`",
    "header": "in the header `{field}`",
    "param": "in the URL, as `{field}`",
    "basic": "as user name of basic authentication, with an empty password",
}
EFFECT_WORDS: Mapping[str, str] = {"read": "Reads only.", "write": "Changes data.", "delete": "Deletes data."}
WRITE_WORDS: Mapping[str, str] = {
    "merge": "Rows are merged by key; rows that a run does not see stay.",
    "replace": "Each run makes the table equal to the list as read.",
    "append": "Each run adds its rows, as history.",
}
ENCODING_WORDS: Mapping[str, str] = {
    "plain": "{type}",
    "flag": "flag, 1 or 0",
    "list": "list of {type}",
    "repeat": "list of {type}, repeated",
    "map": "map",
}
TIME_WORDS: Mapping[str, str] = {
    "iso": "ISO 8601",
    "space": "`YYYY-MM-DD HH:MM:SS` in UTC",
    "epoch_ms": "epoch milliseconds",
    "iso_or_space": "ISO 8601 or `YYYY-MM-DD HH:MM:SS` in UTC",
}


def page(vendor: Vendor) -> str:
    """The reference of one vendor as Markdown: the API as a whole, its tables, then every operation."""
    blocks = [MADE_BY, f"# {vendor.title}", *introduction(vendor)]
    if vendor.tables:
        blocks += ["## Tables", *(block for table in vendor.tables for block in table_section(vendor, table))]
    blocks += ["## Operations", operations_at_a_glance(vendor)]
    blocks += [block for endpoint in vendor.endpoints for block in endpoint_section(vendor, endpoint)]
    return "\n\n".join(blocks) + "\n"


# The vendor


def introduction(vendor: Vendor) -> list[str]:
    """Servers, key, limits and errors."""
    servers = grid(("Server", "Address"), ((code(name), f"<{address}>") for name, address in vendor.servers.items()))
    refusals = grid(
        ("Status", "Words of the answer", "Meaning"),
        ((str(one.status), quoted(one.words), plain(one.reason)) for one in vendor.refusals),
    )
    errors = ", then ".join(map(code, vendor.error_paths))
    return [
        servers,
        f"The key is found under {plain(vendor.key_page)}. It can be sent:",
        bullets(auth_words(vendor, auth) for auth in vendor.auth),
        f"{link(vendor, vendor.probe)} tells most cheaply whether a key works. A key is refused by:",
        refusals,
        f"The message of an error stands in {errors}.",
        "Limits on calls:",
        bullets(f"{limit_words(limit)}. {source_words(limit.source)}" for limit in vendor.limits),
    ]


def auth_words(vendor: Vendor, auth: Auth) -> str:
    """One way to send the key, in a sentence."""
    usual = " (the default)" if auth is vendor.auth[0] and len(vendor.auth) > 1 else ""
    return f"{code(auth.name)}: {AUTH_WORDS[auth.kind].format(field=auth.field)}{usual}."


def limit_words(limit: Limit) -> str:
    """A limit as a phrase, without its evidence."""
    span = {1: "a second", 60: "a minute", 3600: "an hour", 86400: "a day"}.get(limit.seconds, f"{limit.seconds} s")
    whose = "per key"
    if limit.per == "user":
        whose = f"per user, counted on calls that name one by {' or '.join(map(code, limit.user_params))}"
    return f"{limit.requests:,} calls {span} {whose}"


def source_words(source: Source) -> str:
    """How a fact is known, where it was seen and what is doubtful about it."""
    note = f" {plain(source.note)}" if source.note else ""
    return f"{source.known.capitalize()}, checked {source.checked}: {'; '.join(map(plain, source.where))}.{note}"


# Tables


def table_section(vendor: Vendor, table: Table) -> list[str]:
    """One table: what it holds, where its rows come from and how it is kept up to date."""
    facts = [*reading_words(vendor, table), *shaping_words(table)]
    return [heading(3, anchor(vendor, f"table-{table.name}"), code(table.name)), plain(table.summary), bullets(facts)]


def reading_words(vendor: Vendor, table: Table) -> Iterator[str]:
    """Which calls a table is read by, a sentence at a time."""
    key = f"key {listed(table.primary_key)}" if table.primary_key else "without a key"
    yield f"Rows of {link(vendor, table.endpoint)}, {key}. {WRITE_WORDS[table.write]}"
    if table.params:
        yield f"Always sent: {assignments(table.params)}."
    if table.arguments:
        yield f"Looked up by {listed(table.arguments)}: only what is named is read."
    if table.window:
        yield from window_words(table.window)
    if table.fan_out:
        yield f"One call for each row of {code(table.fan_out.table)}."
    if table.slices:
        yield f"One call for each month and each of {listed(table.slices.values)}."
        yield f"The last {table.slices.trailing_months} months are read again each time."
    if not table.selected:
        yield "Loaded only when asked for."


def shaping_words(table: Table) -> Iterator[str]:
    """What becomes of the rows of a table, a sentence at a time."""
    if table.open_maps:
        yield f"Keys of {listed(table.open_maps)} become columns."
    if table.json_columns:
        yield f"Kept whole, as JSON: {listed(table.json_columns)}."
    if table.long_answers:
        long = code(f"{table.name}__{table.long_answers.name}")
        instead = "only" if table.long_answers.instead else "too"
        yield f"{code(table.long_answers.path)} comes out as the table {long} {instead}, one row for each value."
    for copy in table.embedded:
        yield f"The copy of a row of {code(copy.table)} in {code(copy.path)} is compared after each sync."
    if table.questions:
        told = listed(table.questions.aspects)
        yield f"Of each question in {code(table.questions.path)}, changes are told: {told}."
    if table.read_at:
        yield f"{code(table.read_at)} holds the moment of reading."
    if table.aliases:
        yield f"Also known as {listed(table.aliases)}."


def window_words(window: Window) -> Iterator[str]:
    """How a table is read piece by piece, a sentence at a time."""
    for one in window.passes:
        sent = f" with {assignments(one.params)}" if one.params else ""
        when = "" if one.first and one.later else ", in the first load only" if one.first else ", after the first load"
        yield f"Read by {code(one.column)}{sent}{when}."
    if window.look_back:
        yield f"Each run starts {length(window.look_back)} before the end of the last one."
    if window.history:
        yield f"The first load goes back {length(window.history)}, or to the start that is given."
    if window.longest:
        yield f"One call spans at most {length(window.longest)}."
    if window.disputed:
        yield "What changed is read newest first."
        yield "The vendor may ignore range and order; when a page shows so, the whole list is read."


def length(span: timedelta) -> str:
    """A time span in days or hours."""
    hours = span // timedelta(hours=1)
    number, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{number} {unit}{'' if number == 1 else 's'}"


# Operations


def operations_at_a_glance(vendor: Vendor) -> str:
    """A row for each operation."""
    rows = ((link(vendor, one.name), code(f"{one.method} {one.path}"), plain(one.summary)) for one in vendor.endpoints)
    return grid(("Name", "Call", "What it does"), rows)


def endpoint_section(vendor: Vendor, endpoint: Endpoint) -> list[str]:
    """One operation: what it does, how it answers, its parameters, its fields and the evidence for it."""
    blocks = [
        heading(3, anchor(vendor, endpoint.name), code(endpoint.name)),
        f"{code(f'{endpoint.method} {endpoint.path}')} - {plain(endpoint.summary)}",
        bullets(endpoint_facts(vendor, endpoint)),
    ]
    if endpoint.params:
        heads = ("Parameter", "In", "Type", "Required", "Default", "Allowed", "Meaning")
        blocks += ["**Parameters**", grid(heads, map(param_row, endpoint.params))]
    if endpoint.fields:
        title = "Fields of a row" if endpoint.is_list else "Fields of the answer"
        blocks += [f"**{title}**", grid(("Field", "Type", "Null", "Meaning"), map(field_row, endpoint.fields))]
    return [*blocks, f"**Evidence** - {source_words(endpoint.source)}"]


def endpoint_facts(vendor: Vendor, endpoint: Endpoint) -> Iterator[str]:
    """What a caller has to know beside parameters and fields, a sentence at a time."""
    repeat = "Safe to repeat." if endpoint.repeatable else "Not safe to repeat: a second call has a second effect."
    yield f"{EFFECT_WORDS[endpoint.effect]} {repeat}"
    if endpoint.deprecated:
        yield "Described for completeness; nothing in feedloom calls it."
    yield f"Success is {' or '.join(map(str, endpoint.success))}. {answer_words(endpoint)}"
    for names in endpoint.one_of:
        yield f"Needs one of {listed(names)}."
    if endpoint.open_body:
        yield "Further keys of the body are accepted."
    if endpoint.window:
        start, end = map(code, endpoint.window)
        yield f"Date range: from {start}, inclusive, to {end}, exclusive."
    if endpoint.filter_param:
        yield f"Filter {code(endpoint.filter_param)} on {filter_words(endpoint)}."
    if endpoint.sort_param:
        fields = "any field" if "*" in endpoint.sort_fields else ", ".join(map(code, endpoint.sort_fields))
        yield f"Sort {code(endpoint.sort_param)} by {fields or 'fields that are not documented'}."
    limits = [limit_words(limit) for limit in vendor.limits if limit.per == "key" or endpoint.per_user]
    yield f"Limits: {'; '.join(limits)}."
    if endpoint.server:
        yield f"Server: <{vendor.servers[endpoint.server]}>."


def answer_words(endpoint: Endpoint) -> str:
    """What the answer is, and how a list is cut."""
    if endpoint.answer == "binary":
        return "The answer is a file."
    if not endpoint.is_list:
        return "The answer is one object." if endpoint.fields else "The answer has no body that is described."
    where = f"under {code(endpoint.records)}" if endpoint.records else "as the answer itself"
    return f"The answer is a list, {where}. {paging_words(endpoint.paging)}"


def paging_words(paging: Paging) -> str:
    """How a list is cut into pages and where it ends."""
    if isinstance(paging, NoPaging):
        return "It comes whole."
    sizes = f"{code(paging.size_param)} rows a page, {paging.size_default} by default and {paging.size_max:,} at most"
    match paging:
        case NumberPaging():
            last = f", {code(paging.last)} marks the last" if paging.last else ""
            last += f", {code(paging.last_number)} is the number of the last" if paging.last_number else ""
            return f"Pages are numbered by {code(paging.number_param)} from {paging.first_number}{last}; {sizes}."
        case CursorPaging():
            return (
                f"Pages follow {code(paging.next)}, sent back as {code(paging.cursor_param)}, until it is null or "
                f"absent; {sizes}."
            )
        case ScrollPaging():
            end = "it is null" if paging.only_null_ends else "a page is short or empty, or it is null"
            return f"Pages follow {code(paging.next)}, sent back as {code(paging.scroll_param)}, until {end}; {sizes}."


def filter_words(endpoint: Endpoint) -> str:
    """The fields that a filter takes."""
    if any(field.name == "*" for field in endpoint.filter_fields):
        return "any field"
    everything = max((len(field.operators) for field in endpoint.filter_fields), default=0)
    return ", ".join(
        code(field.name)
        + (f" ({' '.join(map(code, field.operators))} only)" if len(field.operators) < everything else "")
        for field in endpoint.filter_fields
    )


def param_row(param: Param) -> tuple[str, ...]:
    """One line of the table of parameters."""
    unit = " items" if param.encoding in {"list", "repeat"} else ""
    bounds = {"at least": param.minimum, "at most": param.maximum}
    allowed = [f"{word} {bound}{unit}" for word, bound in bounds.items() if bound is not None]
    allowed += [" ".join(map(code, map(value_text, param.enum)))] if param.enum else []
    allowed += [param.format] if param.format else []
    doubt = "Not to be sent." if param.deprecated else doubt_words(param.known)
    return (
        code(param.name),
        param.place,
        ENCODING_WORDS[param.encoding].format(type=param.type),
        "yes" if param.required else "",
        default_words(param),
        ", ".join(allowed),
        " ".join(filter(None, [plain(param.summary), doubt])),
    )


def default_words(param: Param) -> str:
    """What the vendor assumes for a parameter, as it would be sent; empty when it assumes nothing."""
    if param.default is None:
        return ""
    return code(value_text(int(param.default) if param.encoding == "flag" else param.default))


def field_row(field: Field) -> tuple[str, ...]:
    """One line of the table of fields."""
    kind = f"{field.type}, {TIME_WORDS[field.time]}" if field.time else field.type
    never = "0 stands for never." if field.zero_is_null else ""
    meaning = " ".join(filter(None, [plain(field.summary), never, doubt_words(field.known)]))
    return (code(field.name), kind, "yes" if field.nullable else "", meaning)


def doubt_words(known: Known) -> str:
    """What to add to a fact that is not documented."""
    return "" if known is Known.DOCUMENTED else f"({known.capitalize()}.)"


# Markdown


def heading(level: int, name: str, text: str) -> str:
    """A heading that can be linked to as *name*, whatever the renderer makes of its text."""
    return f'<a id="{name}"></a>\n\n{"#" * level} {text}'


def anchor(vendor: Vendor, name: str) -> str:
    """The name by which a section is linked to, as ``refiner-list-responses``."""
    return f"{vendor.slug}-{name.replace('_', '-')}"


def link(vendor: Vendor, endpoint: str) -> str:
    """A link to the section of an endpoint."""
    return f"[{code(endpoint)}](#{anchor(vendor, endpoint)})"


def code(text: str) -> str:
    """*text* in the type of code."""
    return f"`{text}`"


def quoted(text: str) -> str:
    """Words of an answer, or nothing."""
    return f'"{plain(text)}"' if text else "any"


def plain(text: str) -> str:
    """*text* with its angle brackets kept from being read as HTML, except in code."""
    parts = text.split("`")
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))


def listed(names: Iterable[str]) -> str:
    """Names in the type of code, with commas between."""
    return ", ".join(map(code, names))


def value_text(value: object) -> str:
    """A value as JSON writes it, texts bare."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def assignments(values: Mapping[str, object]) -> str:
    """Parameters with their values, as ``name=value``."""
    return ", ".join(code(f"{name}={value_text(value)}") for name, value in values.items())


def bullets(lines: Iterable[str]) -> str:
    """A list with a line for each item."""
    return "\n".join(f"- {line}" for line in lines)


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, without the columns that every row leaves empty."""
    body = list(rows)
    kept = [index for index in range(len(heads)) if any(row[index] for row in body)]
    lines = [[heads[index] for index in kept], ["---"] * len(kept)]
    lines += [[row[index].replace("|", "\\|") for index in kept] for row in body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with ``--check`` only compare them; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when a page is stale")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pages are")
    options = parser.parse_args(arguments)
    pages = {options.folder / f"{slug}.md": page(vendor) for slug, vendor in VENDORS.items()}
    pages[options.folder / "tools.md"] = f"{MADE_BY}\n\n{tools_page(every_tool())}"
    stale = [file for file, text in pages.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    for file in stale:
        if not options.check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(pages[file], encoding="utf-8", newline="\n")
        sys.stdout.write(f"{file.name} {'is stale; run python docs/generate.py' if options.check else 'written'}\n")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
