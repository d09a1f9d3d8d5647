"""The first handshake of a new site, so that Caddy has its certificate before a visitor comes."""

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Sequence

from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")


def begin_handshakes(hosts: Sequence[str], port: int) -> None:
    """Have the Caddy of this machine obtain the certificates of these hosts, beside the loop.

    A Caddy elsewhere obtains them when a visitor comes.
    """
    threading.Thread(target=_greet, args=(hosts, port), name="handshakes", daemon=True).start()


def _greet(hosts: Sequence[str], port: int) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # nothing is sent, so it does not matter who answers
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for host in hosts:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=limits.MAX_HANDSHAKE_TIME)
            with connection, contextlib.closing(context.wrap_socket(connection, server_hostname=host)):
                logger.debug("caddy has a certificate for %s", host)
        except OSError as error:
            logger.debug("no handshake for %s: %s", host, error)
