"""Go's text/template in Python (https://pkg.go.dev/text/template). Pure: knows neither Docker nor Caddy.

    table = FunctionTable({"greet": greet})          # greet(context, whom: str) -> str
    compile('{{greet "you"}}', table).execute(data, context)

`data` is plain Python data, or a `Value` of a declared `Type` where a template is to see Go's structs: a struct's
fields are read from its data only when a template asks for them.
"""

from dockcaddy.gotemplate.builtins import BUILTINS
from dockcaddy.gotemplate.errors import ExecError, FunctionError, ParseError, TemplateError
from dockcaddy.gotemplate.functions import Function, FunctionTable, function_type
from dockcaddy.gotemplate.lex import KEYWORDS
from dockcaddy.gotemplate.limits import DEFAULT, Limits
from dockcaddy.gotemplate.state import Usage
from dockcaddy.gotemplate.template import Template, compile
from dockcaddy.gotemplate.values import Field, Method, Type, Value, map_of, pointer_to, slice_of

# what a name means to every template, whatever functions there are
RESERVED = BUILTINS.keys() | KEYWORDS | {"true", "false"}

__all__ = [
    "DEFAULT",
    "RESERVED",
    "ExecError",
    "Field",
    "Function",
    "FunctionError",
    "FunctionTable",
    "Limits",
    "Method",
    "ParseError",
    "Template",
    "TemplateError",
    "Type",
    "Usage",
    "Value",
    "compile",
    "function_type",
    "map_of",
    "pointer_to",
    "slice_of",
]
