"""The configurations whose templates are tested and compared: options that no environment of `cdk.json` uses, too."""

import tomllib
from pathlib import Path

_SETS: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
GUARDED, SLIM, WARM = _SETS["guarded"], _SETS["slim"], _SETS["warm"]
KEYED, ISOLATED, INSTANCES = _SETS["keyed"], _SETS["isolated"], _SETS["instances"]
_OPTIONS = {
    "plain": {},
    "slim": SLIM,
    "warm": WARM,
    "instances": INSTANCES,
    "guarded": GUARDED,
    "keyed": KEYED,
    "all": {**SLIM, **INSTANCES, **GUARDED},
    "all-keyed": {**SLIM, **INSTANCES, **GUARDED, **KEYED},
}
CONFIGURATIONS = {
    f"{env}-{name}": {"env": env, **values} for env in ("local", "dev", "prod") for name, values in _OPTIONS.items()
} | {
    "prod-isolated": {"env": "prod", "own_key": "true", **ISOLATED},
    "dev-delivered": {"env": "dev", **_SETS["delivered"]},
}
"""Name of a configuration → its context: each environment, plain and with its options."""
