"""The functions of sprig v3 (https://masterminds.github.io/sprig/), as Go has them; one module for each page.

Labels are not trusted: results and work are bounded. `env` is the plugin env's.
"""

from collections.abc import Mapping

import dockcaddy
from dockcaddy import TemplateFunction

from dockcaddy_sprig import (
    cases,
    certificates,
    conversion,
    crypto,
    dates,
    defaults,
    dictionaries,
    encoding,
    environment,
    float_math,
    flow_control,
    integer_lists,
    json_text,
    lists,
    math,
    network,
    paths,
    random,
    reflection,
    regexps,
    semver,
    string_lists,
    strings,
    url,
    wrapping,
)

PAGES = (
    strings, cases, wrapping, string_lists, math, integer_lists, float_math, dates, defaults, encoding, json_text, lists,
    dictionaries, conversion, paths, flow_control, environment, random, network, url, reflection, crypto, certificates,
    semver, regexps,
)  # fmt: skip


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:
    """The functions of this plugin."""
    return {name: call for page in PAGES for name, call in page.FUNCTIONS.items()}
