"""What runs in the containers: an HTTP server that ends in an orderly way, and a WebSocket that says everything back.

`replica.py drains` answers on for a second after SIGTERM, `replica.py closes` takes no connection from then on; both
finish what they have begun. Only the standard library: the image has nothing else.
"""

import base64
import hashlib
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 8000
BODY = b"sixteen bytes..\n"
DRAINING = 1.0
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # head and body in one piece: a second small one would wait for an acknowledgement
    wbufsize = -1

    def do_GET(self) -> None:
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.echo()
            return
        # as long as an application takes, so that there is always something on its way
        time.sleep(0.01)
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def echo(self) -> None:
        key = self.headers["Sec-WebSocket-Key"].encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key + _MAGIC).digest()).decode())
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        # short masked frames come in, the same unmasked go out: RFC 6455, 5.2
        while len(head := self.rfile.read(6)) == 6:
            content = self.rfile.read(head[1] & 0x7F)
            plain = bytes(byte ^ head[2 + place % 4] for place, byte in enumerate(content))
            self.wfile.write(bytes((head[0], len(plain))) + plain)
            self.wfile.flush()
            if head[0] & 0x0F == 8:
                return

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    # those that are busy are waited for
    daemon_threads = False
    request_queue_size = 1024

    def __init__(self) -> None:
        super().__init__(("", PORT), Handler)
        self.open: set[socket.socket] = set()

    def process_request_thread(self, request, client_address) -> None:
        self.open.add(request)
        super().process_request_thread(request, client_address)
        self.open.discard(request)

    def end(self, how: str) -> None:
        if how == "drains":
            time.sleep(DRAINING)
        self.shutdown()
        self.socket.close()
        # an idle connection reads its end, a busy one answers first
        for each in list(self.open):
            each.shutdown(socket.SHUT_RD)


def main() -> None:
    server = Server()
    end = threading.Thread(target=server.end, args=(sys.argv[1],))
    signal.signal(signal.SIGTERM, lambda *_: end.start())
    server.serve_forever(0.01)
    end.join()
    server.server_close()


if __name__ == "__main__":
    main()
