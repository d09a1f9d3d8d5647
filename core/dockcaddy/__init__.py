"""dockcaddy: labels on Docker containers become a live Caddy configuration.

What is listed in `__all__` is all that a plugin may import.
"""

from dockcaddy.errors import (
    CaddyRefusal,
    CaddyUnreachable,
    DockcaddyError,
    LabelError,
    OutputError,
)
from dockcaddy.files import write_atomically
from dockcaddy.hookspecs import (
    Adapter,
    Context,
    Gate,
    Label,
    LabelTransformer,
    Loader,
    Output,
    OutputContext,
    SettingsSection,
    Stage,
    hook,
)
from dockcaddy.model import Attachment, EngineInventory, Inventory, Mount, Port, Problem, Resource

__version__ = "0.1.0"

__all__ = [
    "Adapter",
    "Attachment",
    "CaddyRefusal",
    "CaddyUnreachable",
    "Context",
    "DockcaddyError",
    "EngineInventory",
    "Gate",
    "Inventory",
    "Label",
    "LabelError",
    "LabelTransformer",
    "Loader",
    "Mount",
    "Output",
    "OutputContext",
    "OutputError",
    "Port",
    "Problem",
    "Resource",
    "SettingsSection",
    "Stage",
    "__version__",
    "hook",
    "write_atomically",
]
