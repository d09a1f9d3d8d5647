"""Names of environment variables that look like secrets."""

import re
from fnmatch import fnmatchcase
from functools import lru_cache

# anywhere in a name
_WORDS = """
    TOKEN SECRET KEY PASS PWD CRED PRIVATE PRIVKEY COOKIE SESSION DSN HASH JWT HMAC SALT BEARER AUTHORIZATION
    SIGNATURE SIGNING ENCRYPT WEBHOOK MNEMONIC UNSEAL
"""
# only as whole words
_WHOLE_WORDS = "PW|PAT|PSK|SK|PRIV|SEED|PIN|OTP|MAC|RSA|PEM|PFX|HOOK|(?:ACCESS|LOGIN|SECURITY)_?CODE"
# servers whose URLs usually contain a password
_SERVERS = "DATABASE|DB|REDIS|VALKEY|MONGO|MONGODB|POSTGRES|POSTGRESQL|PG|MYSQL|MARIADB|AMQP|RABBITMQ|BROKER|SMTP|LDAP"
_SECRET = re.compile(
    rf"{'|'.join(_WORDS.split())}|(?:^|_)(?:{_WHOLE_WORDS})S?\d*(?=_|$)|PW\d*$|(?:^|_|BASIC|PROXY)AUTH\d*$"
    rf"|(?:{_SERVERS}|CONN\w*)_?(?:UR[IL]|STR)|(?:^|_)(?:HTTPS?|ALL)_PROXY$",
    re.IGNORECASE,
)
# names and words that contain one of the words above by accident
_PRODUCTS = re.compile(
    r"KEYCLOAK|KEYDB|KEYSTONE|KEYOXIDE|MONKEY|PASSBOLT|PASSKY|BYPASS|COMPASS|PASSTHROUGH|HASHICORP|SECRETARY",
    re.IGNORECASE,
)
# names with these endings are not secret, as KEYCLOAK_HOST or COOKIE_DOMAIN
_PUBLIC = re.compile(
    r"(?:^|_)(?:HOSTS?|HOSTNAME|(?:SUB)?DOMAINS?|FQDN|ZONE|PORT|IP|IPV4|IPV6|CIDR|SUBNET|NETWORK|ENABLED?|USER|USERNAME|NAME"
    r"|E?MAIL|TTL|TIMEOUT|LIFETIME|INTERVAL|TYPE|MODE|LEVEL|VERSION|REALM|REGION|UPSTREAM|BACKEND|SERVICE|CONTAINER)\d*$",
    re.IGNORECASE,
)
# except these, in which the ending is the owner of the secret: the token of a zone, the password of a user
_SECRET_OF_OWNER = re.compile(
    r"(?:TOKEN|PASS|PASSWORD|PASSWD|API_?KEY)_(?:ZONE|USER|USERNAME|E?MAIL)\d*$", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def looks_secret(name: str, further: tuple[str, ...]) -> bool:
    """Whether a variable of this name is to be kept secret; `further` are words and patterns from the settings."""
    upper = name.upper()
    if any(_fits(upper, word.upper()) for word in further):
        return True
    if _SECRET.search(_PRODUCTS.sub("", name)) is None:
        return False
    return _PUBLIC.search(name) is None or _SECRET_OF_OWNER.search(name) is not None


def _fits(name: str, word: str) -> bool:
    return fnmatchcase(name, word) if set("*?[") & set(word) else word != "" and word in name
