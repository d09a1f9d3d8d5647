"""The Caddyfile as a tree: lex, parse, merge, order, write. Pure: text and blocks in, text and blocks out."""

from dockcaddy.caddyfile.block import MAX_DEPTH, NO_ORDER, Block, CaddyfileError, Origin, QuotedText, all_blocks
from dockcaddy.caddyfile.imports import imports_files, with_absolute_imports, with_absolute_imports_of_labels
from dockcaddy.caddyfile.lex import Token, lex, lex_value
from dockcaddy.caddyfile.listening import ListenPorts, global_options, has_tls, is_site
from dockcaddy.caddyfile.merge import group_key, merge
from dockcaddy.caddyfile.order import PROXIES, SITE_DIRECTIVES, matcher, position, sort, sort_key
from dockcaddy.caddyfile.parse import parse
from dockcaddy.caddyfile.write import quote, write, write_block, write_with_origins

__all__ = [
    "MAX_DEPTH",
    "NO_ORDER",
    "PROXIES",
    "SITE_DIRECTIVES",
    "Block",
    "CaddyfileError",
    "ListenPorts",
    "Origin",
    "QuotedText",
    "Token",
    "all_blocks",
    "global_options",
    "group_key",
    "has_tls",
    "imports_files",
    "is_site",
    "lex",
    "lex_value",
    "matcher",
    "merge",
    "parse",
    "position",
    "quote",
    "sort",
    "sort_key",
    "with_absolute_imports",
    "with_absolute_imports_of_labels",
    "write",
    "write_block",
    "write_with_origins",
]
