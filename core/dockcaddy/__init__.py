"""dockcaddy: labels on Docker containers become a live Caddy configuration.

What is listed in `__all__` is all that a plugin may import.
"""

import dockcaddy.gotemplate as gotemplate  # noqa: PLR0402  a package does not import itself
from dockcaddy.backoff import Backoff
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
    Service,
    ServiceContext,
    ServiceType,
    SettingsSection,
    SiteContext,
    SiteTransformer,
    Stage,
    TemplateFunction,
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
    "Backoff",
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
    "Service",
    "ServiceContext",
    "ServiceType",
    "SettingsSection",
    "SiteAddress",
    "SiteContext",
    "SiteTransformer",
    "Stage",
    "TemplateFunction",
    "__version__",
    "gotemplate",
    "hook",
    "is_matcher",
    "is_matcher_block",
    "split_matcher",
    "target_file",
    "write_atomically",
]
