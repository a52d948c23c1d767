"""Makes SQL that is safe to run on PostgreSQL out of SQL that may want anything.

What is run is never the text that came, but what a parser understood of it, written anew: one SELECT, every name in
quotes, every table replaced by a subquery over its columns in which personal ones are masked, and no function that is
not listed here. What the parser and the server would read differently is therefore read once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlglot import errors, parse
from sqlglot import expressions as sql
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

from feedloom.errors import InputError
from feedloom.sync.one_select import read_tables, refuse_elsewhere, table_meant
from feedloom.tools.failures import ToolError
from feedloom.tools.privacy import MASK, is_personal

DIALECT: Final = "postgres"
LONGEST_SQL: Final = 10_000
HINT: Final = "give one SELECT over tables of the warehouse; warehouse_list_tables names them"

Columns = Mapping[str, Mapping[str, Collection[str]]]
"""Dataset -> table -> names of its columns, in order."""

_FUNCTIONS: Final = (
    *(sql.And, sql.Or, sql.Case, sql.If, sql.Cast, sql.Coalesce, sql.Nullif, sql.Greatest, sql.Least, sql.Exists),
    *(sql.Count, sql.Sum, sql.Avg, sql.Min, sql.Max, sql.LogicalAnd, sql.LogicalOr, sql.ArrayAgg, sql.GroupConcat),
    *(sql.Stddev, sql.StddevPop, sql.StddevSamp, sql.Variance, sql.VariancePop, sql.Corr, sql.CovarPop, sql.CovarSamp),
    *(sql.PercentileCont, sql.PercentileDisc, sql.Mode, sql.Grouping, sql.RowNumber, sql.Rank, sql.DenseRank),
    *(sql.Ntile, sql.Lag, sql.Lead, sql.FirstValue, sql.LastValue, sql.NthValue, sql.CumeDist, sql.PercentRank),
    *(sql.Abs, sql.Ceil, sql.Floor, sql.Round, sql.Sign, sql.Sqrt, sql.Pow, sql.Exp, sql.Ln, sql.Log, sql.WidthBucket),
    *(sql.Lower, sql.Upper, sql.Initcap, sql.Length, sql.Substring, sql.Left, sql.Right, sql.Trim, sql.Concat),
    *(sql.ConcatWs, sql.Replace, sql.StrPosition, sql.SplitPart, sql.RegexpReplace, sql.RegexpLike, sql.MD5),
    *(sql.TimestampTrunc, sql.Extract, sql.TimeToStr, sql.StrToDate, sql.StrToTime, sql.UnixToTime),
    *(sql.CurrentDate, sql.CurrentTimestamp, sql.Array, sql.ArraySize, sql.Unnest, sql.Explode),
    *(sql.JSONExtract, sql.JSONExtractScalar, sql.JSONBExtract, sql.JSONBExtractScalar),
)
"""What may be called: values from values, of which none is much larger than what it is made of, and nothing else."""

_UNWANTED: Final = (sql.ObjectIdentifier, sql.PseudoType, sql.Operator, sql.TableSample, sql.Command, sql.Fetch)
_TEXTS: Final = (sql.ByteString, sql.UnicodeString, sql.Parameter, sql.Placeholder)
_TABLE_PARTS: Final = frozenset({"this", "db", "alias", "joins"})


def sealed_select(text: str, *, columns: Columns, shows_personal: bool) -> str:
    """The SELECT to run for *text* on tables with *columns*; raises ToolError for what is no such SELECT."""
    if len(text) > LONGEST_SQL:
        raise refused_sql(f"the SQL is longer than {LONGEST_SQL:,} characters", "shorten it")
    try:
        refuse_elsewhere(text, dialect=DIALECT, tables=columns)
        query = normalize_identifiers(_parsed(text), dialect=DIALECT)
        _refuse_parts(query)
        for table in read_tables(query):
            _seal(table, columns, shows_personal=shows_personal)
        sealed: str = query.sql(dialect=DIALECT, identify=True, comments=False)
    except InputError as error:
        raise refused_sql(error.message, HINT) from None
    except (errors.SqlglotError, RecursionError):
        raise refused_sql("the SQL could not be read", HINT) from None
    return sealed


def refused_sql(happened: str, next_step: str) -> ToolError:
    """The refusal of SQL before any of it was run."""
    return ToolError("SQL_REFUSED", happened, undone="Nothing was run.", next_step=next_step)


def _parsed(text: str) -> sql.Query:
    [query] = [statement for statement in parse(text, read=DIALECT) if isinstance(statement, sql.Query)]
    return query


def _refuse_parts(query: sql.Query) -> None:
    for node in query.walk():
        if isinstance(node, sql.Func) and not isinstance(node, _FUNCTIONS):
            raise refused_sql(f"{node.sql_name()} can't be called here", "do without it; plain SQL functions work")
        if isinstance(node, sql.DataType) and node.this == sql.DataType.Type.USERDEFINED:
            raise refused_sql("a type of that name can't be used here", HINT)
        if isinstance(node, _TEXTS):
            raise refused_sql("only plain texts in single quotes can be used here", "write the text without a prefix")
        if isinstance(node, _UNWANTED):
            raise refused_sql(f"{node.key.upper()} can't be used here", HINT)


def _seal(table: sql.Table, columns: Columns, *, shows_personal: bool) -> None:
    """Put in place of *table* what may be seen of it, under the name by which the query knows it."""
    strange = [part for part, value in table.args.items() if value and part not in _TABLE_PARTS]
    if strange:
        raise refused_sql("a table can only be named and given an alias here", HINT)
    dataset, name = table_meant(table, columns)
    shown = [_shown(column, shows_personal=shows_personal) for column in columns[dataset][name]]
    real = sql.Table(this=sql.to_identifier(name, quoted=True), db=sql.to_identifier(dataset, quoted=True))
    alias = table.args.get("alias") or sql.TableAlias(this=sql.to_identifier(table.name, quoted=True))
    table.replace(sql.Subquery(this=sql.select(*shown).from_(real), alias=alias, joins=table.args.get("joins")))


def _shown(column: str, *, shows_personal: bool) -> sql.Expr:
    found = sql.column(column, quoted=True)
    if shows_personal or not is_personal(column):
        return found
    there = sql.Not(this=sql.Is(this=found, expression=sql.null()))
    return sql.alias_(sql.Case().when(there, sql.Literal.string(MASK)), column, quoted=True)
