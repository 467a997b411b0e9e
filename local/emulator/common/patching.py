"""How a function of ministack is wrapped."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

Original = Callable[..., Any]  # the function that a wrapper replaces; each wrapper gets it as its first argument
Record = dict[str, Any]  # a JSON object of ministack: a request, a resource's properties, a stored record
Answer = tuple[int, dict[str, str], bytes]  # status, headers and body of an HTTP response
Holder = ModuleType | dict[str, Any]


def wrap(holders: Holder | tuple[Holder, ...], name: str, wrapper: Callable[..., Any]) -> None:
    """Replace `name` in a module (or dict), and in the modules that imported it, by `wrapper` around the original."""
    holders = holders if isinstance(holders, tuple) else (holders,)
    tables = [vars(holder) if isinstance(holder, ModuleType) else holder for holder in holders]
    replacement = partial(wrapper, tables[0][name])
    for table in tables:
        if name not in table:
            raise KeyError(f"ministack has no {name} where it is to be replaced.")
        table[name] = replacement
