"""dockcaddy: labels on Docker containers become a live Caddy configuration.

What is listed in `__all__` is all that a plugin may import.
"""

from dockcaddy.caddyfile import (
    DIRECTIVE_BLOCKS,
    DIRECTIVES,
    GLOBAL_OPTIONS,
    Block,
    Directive,
    Origin,
    SiteAddress,
    is_matcher,
    is_matcher_block,
    split_matcher,
)
from dockcaddy.errors import (
    CaddyRefusal,
    CaddyUnreachable,
    DockcaddyError,
    LabelError,
    OutputError,
)
from dockcaddy.files import FileOutput, target_file, write_atomically
from dockcaddy.hookspecs import (
    Adapter,
    AdmissionRule,
    Configuration,
    Context,
    Gate,
    Label,
    LabelTransformer,
    Loader,
    Output,
    OutputContext,
    OutputType,
    SettingsSection,
    SiteContext,
    SiteTransformer,
    Stage,
    hook,
)
from dockcaddy.model import Attachment, EngineInventory, Inventory, Mount, Port, Problem, Proxy, Resource

__version__ = "0.1.0"

__all__ = [
    "DIRECTIVES",
    "DIRECTIVE_BLOCKS",
    "GLOBAL_OPTIONS",
    "Adapter",
    "AdmissionRule",
    "Attachment",
    "Block",
    "CaddyRefusal",
    "CaddyUnreachable",
    "Configuration",
    "Context",
    "Directive",
    "DockcaddyError",
    "EngineInventory",
    "FileOutput",
    "Gate",
    "Inventory",
    "Label",
    "LabelError",
    "LabelTransformer",
    "Loader",
    "Mount",
    "Origin",
    "Output",
    "OutputContext",
    "OutputError",
    "OutputType",
    "Port",
    "Problem",
    "Proxy",
    "Resource",
    "SettingsSection",
    "SiteAddress",
    "SiteContext",
    "SiteTransformer",
    "Stage",
    "__version__",
    "hook",
    "is_matcher",
    "is_matcher_block",
    "split_matcher",
    "target_file",
    "write_atomically",
]
