"""URLs."""

from collections.abc import Callable

from dockcaddy import Context
from dockcaddy.gotemplate import MAP_OF_ANY, FunctionError, Value

from dockcaddy_sprig.go import NIL_POINTER, Dict, bounded, dynamic, kind_of
from dockcaddy_sprig.url_parts import Url, UrlError, parse


def url_parse(context: Context, text: str) -> Dict:
    """The parts of a URL: scheme, userinfo, host, hostname, path, query, opaque, fragment."""
    bounded(len(text))
    context.spend(len(text) // 8)
    try:
        url = parse(text)
    except UrlError as error:
        raise FunctionError(f"unable to parse url: {error}") from None
    parts: dict[str, object] = {
        "scheme": url.scheme,
        "host": url.host,
        "hostname": url.hostname,
        "path": url.path,
        "query": url.query,
        "opaque": url.opaque,
        "fragment": url.fragment,
        "userinfo": url.user or "",
    }
    return Value(MAP_OF_ANY, parts)


def url_join(context: Context, parts: Dict) -> str:
    """The URL of the parts that urlParse gives."""
    found = {name: _part(parts, name) for name in ("scheme", "host", "path", "query", "opaque", "fragment", "userinfo")}
    context.spend(sum(map(len, found.values())) // 8)
    user = None
    if found["userinfo"]:
        try:
            user = parse(f"proto://{found['userinfo']}@host").user
        except UrlError as error:
            raise FunctionError(f"unable to parse userinfo in dict: {error}") from None
    return str(
        Url(found["scheme"], found["opaque"], user, found["host"], found["path"], found["query"], found["fragment"])
    )


def _part(parts: Value, name: str) -> str:
    if not parts.data or name not in parts.data:
        return ""
    value = dynamic(parts.data[name])
    if value is None:
        raise FunctionError(NIL_POINTER)
    if value.kind != "string":
        raise FunctionError(f"unable to parse {name} key, must be of type string, but {kind_of(value)} found")
    text: str = value.data
    return text


FUNCTIONS: dict[str, Callable[..., object]] = {"urlJoin": url_join, "urlParse": url_parse}
