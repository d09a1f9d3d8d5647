"""Sites of the company's domain are only for containers of the project `web`."""

from collections.abc import Iterable

import dockcaddy
from dockcaddy import AdmissionRule, Block, Context, LabelError


@dockcaddy.hook
def dockcaddy_admission_rules() -> Iterable[AdmissionRule]:
    return [AdmissionRule("company-domain", check)]


def check(context: Context, blocks: tuple[Block, ...]) -> None:
    """Refuse the resource where it has no right to a site's address."""
    project = context.resource.labels.get("com.docker.compose.project")
    for block in blocks:
        if project != "web" and any(address.endswith("example.org") for address in block.keys):
            raise LabelError(block.origins[0].label, f"{' '.join(block.keys)} is for containers of the project web")
