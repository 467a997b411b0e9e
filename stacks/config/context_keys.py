"""Finds misspelt keys of the configuration in the CDK context, which anybody may add keys of their own to."""

from collections.abc import Iterable

from stacks.config.fields import Section, closest, dotted_names, inner_section
from stacks.errors import ConfigError

_CHOOSING = {"environments", "env"}


def check_context_keys(kind: type[Section], keys: Iterable[str]) -> None:
    """Refuse a context key that looks like one of ours and is none: it would change nothing, silently.

    Ours are all keys with a dot after the name of a section, and those that resemble a name of the configuration.
    Feature flags and the keys of the CDK itself (`@aws-cdk/…`, `aws:cdk:…`) are left alone.

    Raises ConfigError: such a key, with the name that was probably meant.
    """
    known = list(dotted_names(kind))
    sections = {name for name, field in kind.model_fields.items() if inner_section(field)}
    for key in keys:
        if key in known or key in _CHOOSING or any(mark in key for mark in "@:/"):
            continue
        if key in sections:
            example = next(name for name in known if name.startswith(f"{key}."))
            raise ConfigError(key, f"is a section; set one of its values, such as -c {example}=…")
        section, dot, _ = key.partition(".")
        last_parts = {} if dot else {name.rpartition(".")[2]: name for name in known}
        meant = closest(key, known) or last_parts.get(closest(key, last_parts), "")
        if meant:
            raise ConfigError(key, f"is not known; did you mean {meant}?")
        if dot and section in sections:
            inside = ", ".join(name for name in known if name.startswith(f"{section}."))
            raise ConfigError(key, f"is not known; the names here are: {inside}")
