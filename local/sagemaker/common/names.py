"""Names of resources: whose they are, and the ARNs that follow from them."""

from pathlib import Path
from typing import NamedTuple


class Scope(NamedTuple):
    """An account in a region. Names are unique within it."""

    account: str
    region: str


class Key(NamedTuple):
    """What identifies a resource."""

    kind: str
    """As in its ARN, e.g. `endpoint-config`."""
    scope: Scope
    name: str

    @property
    def arn(self) -> str:
        """ARN of the resource."""
        return f"arn:aws:sagemaker:{self.scope.region}:{self.scope.account}:{self.kind}/{self.name}"

    def below(self, root: Path) -> Path:
        """Return the path below `root` that belongs to this resource."""
        return root / self.scope.account / self.scope.region / self.name


def last_part(arn_or_name: str) -> str:
    """Return the resource name of an ARN (`…:model-package/group/3` → `group/3`), or a plain name as it is."""
    if not arn_or_name.startswith("arn:"):
        return arn_or_name
    return arn_or_name.split(":", 5)[-1].partition("/")[2]
