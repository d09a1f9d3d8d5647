"""The Caddyfile as a tree: lex, parse, merge, order, write. Pure: text and blocks in, text and blocks out."""

from dockcaddy.caddyfile.addresses import (
    DEFAULT_PORTS,
    SiteAddress,
    is_host_of,
    plain_host,
    split_host_port,
    with_variables,
)
from dockcaddy.caddyfile.block import MAX_DEPTH, NO_ORDER, Block, CaddyfileError, Origin, QuotedText, all_blocks
from dockcaddy.caddyfile.directives import (
    DIRECTIVE_BLOCKS,
    DIRECTIVE_NAMES,
    DIRECTIVES,
    FIXED_RESPONSES,
    GLOBAL_OPTIONS,
    PROXIES,
    REWRITING,
    SITE_DIRECTIVES,
    SUBROUTES,
    TERMINAL,
    UPSTREAM_DIRECTIVES,
    Directive,
)
from dockcaddy.caddyfile.imports import imports_files, with_absolute_imports, with_absolute_imports_of_labels
from dockcaddy.caddyfile.lex import Token, lex, lex_value
from dockcaddy.caddyfile.listening import ListenPorts, global_options, has_tls, is_site, option_values
from dockcaddy.caddyfile.matchers import is_matcher, is_matcher_block, matcher, split_matcher
from dockcaddy.caddyfile.merge import group_key, merge, merge_key
from dockcaddy.caddyfile.order import Place, merged_key, position, sort
from dockcaddy.caddyfile.parse import parse
from dockcaddy.caddyfile.peer import merge_as_peer, write_as_peer
from dockcaddy.caddyfile.write import quote, write, write_block, write_with_origins

__all__ = [
    "DEFAULT_PORTS",
    "DIRECTIVES",
    "DIRECTIVE_BLOCKS",
    "DIRECTIVE_NAMES",
    "FIXED_RESPONSES",
    "GLOBAL_OPTIONS",
    "MAX_DEPTH",
    "NO_ORDER",
    "PROXIES",
    "REWRITING",
    "SITE_DIRECTIVES",
    "SUBROUTES",
    "TERMINAL",
    "UPSTREAM_DIRECTIVES",
    "Block",
    "CaddyfileError",
    "Directive",
    "ListenPorts",
    "Origin",
    "Place",
    "QuotedText",
    "SiteAddress",
    "Token",
    "all_blocks",
    "global_options",
    "group_key",
    "has_tls",
    "imports_files",
    "is_host_of",
    "is_matcher",
    "is_matcher_block",
    "is_site",
    "lex",
    "lex_value",
    "matcher",
    "merge",
    "merge_as_peer",
    "merge_key",
    "merged_key",
    "option_values",
    "parse",
    "plain_host",
    "position",
    "quote",
    "sort",
    "split_host_port",
    "split_matcher",
    "with_absolute_imports",
    "with_absolute_imports_of_labels",
    "with_variables",
    "write",
    "write_as_peer",
    "write_block",
    "write_with_origins",
]
