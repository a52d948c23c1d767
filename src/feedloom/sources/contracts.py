"""What becomes of new and re-typed fields, table by table: the contracts that a user sets, and what holds rows to them.

A contract is named by its table (``responses``), or by an open map of it (``responses.data``): the keys of open maps
are data that customers choose, such as the questions of a survey, so that a frozen table still takes new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast, get_args

import dlt
from dlt.common.schema import Schema
from dlt.common.schema.utils import has_table_seen_data
from dlt.extract.state import get_current_pipe

from feedloom.catalogue import Table, Vendor
from feedloom.columnar.arrow import Breach, Contract, Guard, Naming, TableContract
from feedloom.columnar.arrow.dlt_seam import stored_types
from feedloom.errors import ContractError, InputError
from feedloom.sources.quarantine import QUARANTINE_TABLE
from feedloom.sources.table_plan import TablePlan

CONTRACTS: Final[tuple[Contract, ...]] = get_args(Contract)


def checked_contracts(vendor: Vendor, given: Mapping[str, Any]) -> dict[str, TableContract]:
    """The contract of each table that *given* speaks of: name of a table, or of one and its open map -> contract.

    Raises InputError for a table, an open map or a contract that there is none of.
    """
    found: dict[str, TableContract] = {}
    for name, contract in flat_contracts(given).items():
        table, path = _named(vendor, name)
        if contract not in CONTRACTS:
            raise InputError(
                f"there is no contract {contract!r}, which {name} is given",
                hint=f"choose {', '.join(CONTRACTS[:-1])} or {CONTRACTS[-1]}",
                where=name,
                code="FL234",
            )
        known = found.setdefault(table.name, TableContract())
        changed: Any = {"maps": {**known.maps, path: contract}} if path else {"fields": contract}
        found[table.name] = replace(known, **changed)
    return found


def parsed_contracts(texts: Sequence[str]) -> dict[str, str]:
    """Contracts written as ``responses=freeze``; raises InputError for what is written otherwise."""
    found: dict[str, str] = {}
    for text in texts:
        name, is_given, contract = text.partition("=")
        if not is_given:
            raise InputError(
                f"{text!r} is no contract", hint="write TABLE=CONTRACT, for example responses=freeze", code="FL234"
            )
        found[name.strip()] = contract.strip()
    return found


def guard_of(plan: TablePlan, schema: Schema, naming: Naming) -> Guard | None:
    """What holds the rows of *plan*'s table to its contract; None where they may bring what they like.

    So may those of a table that holds nothing yet: its first rows make it.
    """
    contract = plan.options.contracts.get(plan.table.name)
    root = naming.table(plan.table.name)
    if contract is None or contract.evolves or not has_table_seen_data(cast("Any", schema.tables.get(root, {}))):
        return None
    return Guard(contract, table=plan.table, endpoint=plan.endpoint, naming=naming, stored=stored_types(schema, root))


def refuse(plan: TablePlan, breaches: Sequence[Breach], *, aside: bool) -> None:
    """Raises ContractError for a breach that stops the table: by its contract, or as no row is put *aside* here."""
    for breach in breaches:
        if breach.contract == "freeze" or not aside:
            raise _broken(plan, breach)


def _broken(plan: TablePlan, breach: Breach) -> ContractError:
    table, slug = plan.table.name, plan.vendor.slug
    name = f"{table}.{breach.path}" if breach.path else table
    if breach.contract == "freeze":
        message = f"{name} is frozen, and a row does not fit it: {breach.reason}; nothing of this reading was loaded"
        hint = (
            f"`feedloom sync {slug} --contract {name}=evolve` takes the field, "
            f"`--contract {name}=quarantine` puts such rows aside in {QUARANTINE_TABLE}"
        )
    else:
        message = f"a row of {name} does not fit its columns: {breach.reason}; nothing of this reading was loaded"
        hint = (
            f'such rows are put aside in {QUARANTINE_TABLE} with engine = "arrow", into a destination that takes '
            f"Parquet; else choose evolve or freeze for {name}"
        )
    return ContractError(message, hint=hint, where=table)


def leaves_contract_to_dlt(schema: Schema, table: Table) -> bool:
    """Whether dlt's own ``schema_contract`` for the resource at hand is one that only dlt's normaliser carries out.

    Of Arrow tables, dlt keeps new columns out where columns and types are frozen, before anything is written. To
    discard rows of them ends in a KeyError, and their variants are new columns to it.
    """
    resource = dlt.current.source().resources.get(get_current_pipe().name)
    own: Any = resource.schema_contract if resource is not None else None
    root = Naming.of(schema).table(table.name)
    settings = Schema.expand_schema_contract_settings(own or schema.resolve_contract_settings_for_table(root))
    return set(settings.values()) not in ({"evolve"}, {"freeze"})


def flat_contracts(given: Mapping[str, Any]) -> dict[str, Any]:
    """*given* with its names in one piece: ``responses.data``, where a settings file made sections of them."""
    return dict(_flat(given))


def _flat(given: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _named(vendor: Vendor, name: str) -> tuple[Table, str]:
    """The table that *name* begins with, and the open map that it goes on with."""
    first, _, path = name.partition(".")
    try:
        table = vendor.table(first)
    except KeyError:
        raise InputError(
            f"{vendor.title} has no table {first!r}, for which a contract is set",
            hint=f"choose from {', '.join(table.name for table in vendor.tables)}",
            where=name,
            code="FL230",
        ) from None
    if path and path not in table.open_maps:
        maps = " or ".join(f"{table.name}.{one}" for one in table.open_maps)
        raise InputError(
            f"{table.name} has no open map {path!r}, for which a contract is set",
            hint=f"name {maps}" if maps else f"name the table alone: {table.name}",
            where=name,
            code="FL235",
        )
    return table, path
