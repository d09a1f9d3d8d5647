"""Expressions (https://caddyserver.com/docs/caddyfile/matchers#expression) that could read placeholders or files that are forbidden to labels."""

import re

from dockcaddy import Context

from dockcaddy_policy.folders import wrong_root

# matchers as functions: Caddy replaces placeholders in their arguments a second time
_NAMES = "client_ip|file|header|header_regexp|host|method|path|path_regexp|protocol|query|remote_ip|vars|vars_regexp"
_MATCHERS = re.compile(rf"\b({_NAMES})\s*\(")
# also Caddy's internal functions, such as `vars_regexp_request_string_string`, which accept any text
_BEHIND = re.compile(r"\b(?:ph|req)\b")
_PLACEHOLDER = re.compile(r"\{([a-zA-Z][\w.-]+)\}")
# Placeholders that a request cannot fill with another placeholder. A method is any text in HTTP/2. A host is any text in
# HTTP/3, unless the site has only fixed hosts: see _HOSTS.
_SAFE = re.compile(
    r"http\.request\.(?:scheme|remote\.\w+|tls\.(?:version|cipher_suite|proto|resumed)|remote(?:\.host|\.port)?)"
    r"|http\.vars\.client_ip"
)
_HOSTS = re.compile(r"http\.request\.(?:host|hostport|labels\.\d+|host\.labels\.\d+|port)")
_ESCAPE = re.compile(r"\\[xXuU0-7]")
_RAW = r"""(?<!\w)[bB]?[rR](?:'''.*?'''|\"{3}.*?\"{3}|'[^'\n]*'|"[^"\n]*")"""
_STRING = r"""'''(?:\\.|[^\\])*?'''|\"{3}(?:\\.|[^\\])*?\"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*\""""
_COMMENT_OR_STRING = re.compile(rf"//|{_RAW}|{_STRING}", re.DOTALL)
_ROOT = re.compile(r"""(['"])root\1\s*:\s*(['"])(/[^'"\\{}]*)\2""")
# text that the next piece could complete to `{env.X}` or `{file.X}`; Caddy strips all braces around a placeholder
_OPEN_END = re.compile(r"(?:\{|(?<![^'\"])\{[\\}]*)(?:e|en|env|f|fi|fil|file)?\Z")


def wrong_expression(text: str, context: Context, *, has_hosts: bool) -> str:
    """Why an expression is refused; `""` if it is allowed."""
    return _unsafe_part(text, has_hosts=has_hosts) or _wrong_root(text, context)


def _unsafe_part(text: str, *, has_hosts: bool) -> str:
    if _ESCAPE.search(text):
        return "an escape in it could build a placeholder"
    strings = [match[0] for match in _COMMENT_OR_STRING.finditer(text)]
    code = _COMMENT_OR_STRING.sub("''", text)
    if "//" in strings or re.search(r"[\"\\]|(?<!')'(?!')", code):
        return "it has a comment or an open quote"
    if any(_OPEN_END.search(string.rstrip("'\"")) for string in strings):
        return "it could build a placeholder"
    if _BEHIND.search(_PLACEHOLDER.sub("", code)):
        return "it reads placeholders by name"
    chosen = next(filter(None, (_chosen(call, has_hosts=has_hosts) for call in _calls(code))), "")
    return f"a visitor could put a placeholder into {{{chosen}}}" if chosen else ""


def _calls(code: str) -> list[tuple[str, str]]:
    """The matchers that the expression calls as functions, each with its arguments."""
    return [(match[1], _up_to_closing(code[match.end() :])) for match in _MATCHERS.finditer(code)]


def _up_to_closing(code: str) -> str:
    depth = 1
    for at, character in enumerate(code):
        depth += (character == "(") - (character == ")")
        if not depth:
            return code[:at]
    return code


def _chosen(call: tuple[str, str], *, has_hosts: bool) -> str:
    matcher, arguments = call
    safe = [_SAFE, _HOSTS] if has_hosts else [_SAFE]
    found = [name for name in _PLACEHOLDER.findall(arguments) if not any(each.fullmatch(name) for each in safe)]
    return "" if matcher == "file" or not found else str(found[0])


def _wrong_root(text: str, context: Context) -> str:
    """Why a call of the matcher `file` is refused: its own `root` could show which files exist in a forbidden folder."""
    if not re.search(r"\bfile\s*\(", text):
        return ""
    known = list(_ROOT.finditer(text))
    if len(known) != len(re.findall(r"\broot\b", text)):
        return "the folder of its file matcher is not known beforehand"
    return next((reason for match in known if (reason := wrong_root(match[3], context))), "")
