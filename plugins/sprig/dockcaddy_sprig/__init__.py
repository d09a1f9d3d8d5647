"""The functions of sprig v3 (https://masterminds.github.io/sprig/), as Go has them; one module for each page.

Labels are not trusted: results and work are bounded. `env` is the plugin env's.
"""

from collections.abc import Mapping

import dockcaddy
from dockcaddy import TemplateFunction

from dockcaddy_sprig.cases import FUNCTIONS as CASES
from dockcaddy_sprig.certificates import FUNCTIONS as CERTIFICATES
from dockcaddy_sprig.conversion import FUNCTIONS as CONVERSION
from dockcaddy_sprig.crypto import FUNCTIONS as CRYPTO
from dockcaddy_sprig.dates import FUNCTIONS as DATES
from dockcaddy_sprig.defaults import FUNCTIONS as DEFAULTS
from dockcaddy_sprig.dictionaries import FUNCTIONS as DICTIONARIES
from dockcaddy_sprig.encoding import FUNCTIONS as ENCODING
from dockcaddy_sprig.environment import FUNCTIONS as ENVIRONMENT
from dockcaddy_sprig.float_math import FUNCTIONS as FLOAT_MATH
from dockcaddy_sprig.flow_control import FUNCTIONS as FLOW_CONTROL
from dockcaddy_sprig.integer_lists import FUNCTIONS as INTEGER_LISTS
from dockcaddy_sprig.json_text import FUNCTIONS as JSON_TEXT
from dockcaddy_sprig.lists import FUNCTIONS as LISTS
from dockcaddy_sprig.math import FUNCTIONS as MATH
from dockcaddy_sprig.network import functions as network_functions
from dockcaddy_sprig.paths import FUNCTIONS as PATHS
from dockcaddy_sprig.random import FUNCTIONS as RANDOM
from dockcaddy_sprig.reflection import FUNCTIONS as REFLECTION
from dockcaddy_sprig.regexps import FUNCTIONS as REGEXPS
from dockcaddy_sprig.semver import FUNCTIONS as SEMVER
from dockcaddy_sprig.string_lists import FUNCTIONS as STRING_LISTS
from dockcaddy_sprig.strings import FUNCTIONS as STRINGS
from dockcaddy_sprig.url import FUNCTIONS as URL
from dockcaddy_sprig.wrapping import FUNCTIONS as WRAPPING

PAGES = (
    STRINGS, CASES, WRAPPING, STRING_LISTS, MATH, INTEGER_LISTS, FLOAT_MATH, DATES, DEFAULTS, ENCODING, JSON_TEXT, LISTS,
    DICTIONARIES, CONVERSION, PATHS, FLOW_CONTROL, ENVIRONMENT, RANDOM, URL, REFLECTION, CRYPTO, CERTIFICATES,
    SEMVER, REGEXPS,
)  # fmt: skip


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:
    """The functions of this plugin."""
    return {name: call for page in (*PAGES, network_functions()) for name, call in page.items()}
