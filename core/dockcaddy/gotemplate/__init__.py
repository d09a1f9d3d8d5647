"""Go's text/template in Python (https://pkg.go.dev/text/template). Pure: knows neither Docker nor Caddy.

    table = FunctionTable({"greet": greet})          # greet(context, name: str) -> str
    compile('{{greet "you"}}', table).execute(data, context)

`data` is plain Python data, or a `Value` of a declared `Type` where a template is to see Go's structs: a struct's
fields are read from its data only when a template asks for them.
"""

from dockcaddy.gotemplate.builtins import BUILTINS
from dockcaddy.gotemplate.errors import ExecError, FunctionError, ParseError, TemplateError
from dockcaddy.gotemplate.functions import Function, FunctionTable, function_type
from dockcaddy.gotemplate.letters import lower_letter, title_letter, upper_letter
from dockcaddy.gotemplate.lex import KEYWORDS
from dockcaddy.gotemplate.limits import DEFAULT, Limits, Room
from dockcaddy.gotemplate.printf import sprintf
from dockcaddy.gotemplate.quoting import parse_float, parse_integer, quote, quote_raw
from dockcaddy.gotemplate.regexps import Captures, Regexp, compile_regexp
from dockcaddy.gotemplate.state import Usage
from dockcaddy.gotemplate.template import Template, compile
from dockcaddy.gotemplate.values import (
    ANY,
    BOOL,
    ERROR,
    FLOAT64,
    FLOAT_KINDS,
    INT,
    INT64,
    INT_KINDS,
    MAP_OF_ANY,
    MAP_OF_STRING,
    NILABLE_KINDS,
    SLICE_OF_ANY,
    SLICE_OF_STRING,
    STRING,
    UINT8,
    UINT32,
    UINT64,
    UINT_KINDS,
    Field,
    Method,
    Type,
    Value,
    find_method,
    go_bytes,
    go_string,
    indirect,
    map_of,
    pointer_to,
    slice_of,
    typed,
    value_of,
)

# what a name means to every template, whatever functions there are
RESERVED = BUILTINS.keys() | KEYWORDS | {"true", "false"}

__all__ = [
    "ANY",
    "BOOL",
    "DEFAULT",
    "ERROR",
    "FLOAT64",
    "FLOAT_KINDS",
    "INT",
    "INT64",
    "INT_KINDS",
    "MAP_OF_ANY",
    "MAP_OF_STRING",
    "NILABLE_KINDS",
    "RESERVED",
    "SLICE_OF_ANY",
    "SLICE_OF_STRING",
    "STRING",
    "UINT8",
    "UINT32",
    "UINT64",
    "UINT_KINDS",
    "Captures",
    "ExecError",
    "Field",
    "Function",
    "FunctionError",
    "FunctionTable",
    "Limits",
    "Method",
    "ParseError",
    "Regexp",
    "Room",
    "Template",
    "TemplateError",
    "Type",
    "Usage",
    "Value",
    "compile",
    "compile_regexp",
    "find_method",
    "function_type",
    "go_bytes",
    "go_string",
    "indirect",
    "lower_letter",
    "map_of",
    "parse_float",
    "parse_integer",
    "pointer_to",
    "quote",
    "quote_raw",
    "slice_of",
    "sprintf",
    "title_letter",
    "typed",
    "upper_letter",
    "value_of",
]
