"""Settings: one table of options drives flags, environment, dockcaddy.toml, the help and the docs.

Precedence: flag, `DOCKCADDY_*`, caddy-docker-proxy's variable, dockcaddy.toml, default. An empty variable is unset.
"""

from dockcaddy.settings.endpoints import check_engine
from dockcaddy.settings.pages import option_table, section_records, shown_default
from dockcaddy.settings.sections import load_sections
from dockcaddy.settings.sources import load
from dockcaddy.settings.table import OPTIONS, UNSUPPORTED, Option, Settings, check_supported, guess, nearest
from dockcaddy.settings.values import parse_duration

__all__ = [
    "OPTIONS",
    "UNSUPPORTED",
    "Option",
    "Settings",
    "check_engine",
    "check_supported",
    "guess",
    "load",
    "load_sections",
    "nearest",
    "option_table",
    "parse_duration",
    "section_records",
    "shown_default",
]
