"""Which environment variables look by their names as if they held a secret."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

# anywhere in a name
_WORDS = """
    TOKEN SECRET KEY PASS PWD CRED PRIVATE PRIVKEY COOKIE SESSION DSN HASH JWT HMAC SALT BEARER AUTHORIZATION
    SIGNATURE SIGNING ENCRYPT WEBHOOK MNEMONIC UNSEAL
"""
# only as words of their own
_WHOLE_WORDS = "PW|PAT|PSK|SK|PRIV|SEED|PIN|OTP|MAC|RSA|PEM|PFX|HOOK|(?:ACCESS|LOGIN|SECURITY)_?CODE"
# what has the password of a server in its address
_SERVERS = "DATABASE|DB|REDIS|VALKEY|MONGO|MONGODB|POSTGRES|POSTGRESQL|PG|MYSQL|MARIADB|AMQP|RABBITMQ|BROKER|SMTP|LDAP"
_SECRET = re.compile(
    rf"{'|'.join(_WORDS.split())}|(?:^|_)(?:{_WHOLE_WORDS})S?\d*(?=_|$)|PW\d*$|(?:^|_|BASIC|PROXY)AUTH\d*$"
    rf"|(?:{_SERVERS}|CONN\w*)_?(?:UR[IL]|STR)|(?:^|_)(?:HTTPS?|ALL)_PROXY$",
    re.IGNORECASE,
)
# in these a secret's word is part of another one
_PRODUCTS = re.compile(
    r"KEYCLOAK|KEYDB|KEYSTONE|KEYOXIDE|MONKEY|PASSBOLT|PASSKY|BYPASS|COMPASS|PASSTHROUGH|HASHICORP|SECRETARY",
    re.IGNORECASE,
)
# whatever a name begins with: what ends so is nobody's secret, as KEYCLOAK_HOST or COOKIE_DOMAIN
_PUBLIC = re.compile(
    r"(?:^|_)(?:HOSTS?|HOSTNAME|(?:SUB)?DOMAINS?|FQDN|ZONE|PORT|IP|IPV4|IPV6|CIDR|SUBNET|NETWORK|ENABLED?|USER|USERNAME|NAME"
    r"|E?MAIL|TTL|TIMEOUT|LIFETIME|INTERVAL|TYPE|MODE|LEVEL|VERSION|REALM|REGION|UPSTREAM|BACKEND|SERVICE|CONTAINER)\d*$",
    re.IGNORECASE,
)
# but whose it is may follow: the token of a zone, the password of a user
_OF_SOMEBODY = re.compile(r"(?:TOKEN|PASS|PASSWORD|PASSWD|API_?KEY)_(?:ZONE|USER|USERNAME|E?MAIL)\d*$", re.IGNORECASE)


def looks_secret(name: str, further: Iterable[str] = ()) -> bool:
    """Whether a variable of this name is to be kept secret; `further` are the operator's own words and patterns."""
    return _looks_secret(name, tuple(further))


@lru_cache(maxsize=4096)
def _looks_secret(name: str, further: tuple[str, ...]) -> bool:
    upper = name.upper()
    if any(_fits(upper, word.upper()) for word in further):
        return True
    if _SECRET.search(_PRODUCTS.sub("", name)) is None:
        return False
    return _PUBLIC.search(name) is None or _OF_SOMEBODY.search(name) is not None


def _fits(name: str, word: str) -> bool:
    return fnmatchcase(name, word) if set("*?[") & set(word) else word != "" and word in name
