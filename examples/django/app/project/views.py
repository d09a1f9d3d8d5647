"""A page, a health check, and what the proxy asks."""

import os
import socket
from hmac import compare_digest
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

# `touch` this file in a container to make it unhealthy
UNHEALTHY = Path("/tmp/unhealthy")

PAGE = """<!doctype html>
<title>Django behind dockcaddy</title>
<link rel="stylesheet" href="{static}app.css">
<script src="{static}app.js" defer></script>
<h1>Hello from {container}</h1>
<p><a href="{media}public/hello.txt">a public file</a>, <a href="{media}protected/secret.txt">a protected one</a>
"""


def home(request: HttpRequest) -> HttpResponse:
    """The page, with links to the static and the media server."""
    page = PAGE.format(static=settings.STATIC_URL, media=settings.MEDIA_URL, container=socket.gethostname())
    return HttpResponse(page)


def health(request: HttpRequest) -> JsonResponse:
    """What the container's health check asks."""
    healthy = not UNHEALTHY.exists()
    return JsonResponse({"status": "healthy" if healthy else "unhealthy"}, status=200 if healthy else 503)


def status(request: HttpRequest) -> JsonResponse:
    """Which container answers, and how it runs."""
    return JsonResponse(
        {
            "container": socket.gethostname(),
            "environment": os.environ.get("DJANGO_ENV", ""),
            "interface": os.environ.get("DJANGO_INTERFACE", "asgi"),
        }
    )


def authenticate(request: HttpRequest) -> HttpResponse:
    """What the proxy asks before it serves a protected file: 204 to somebody with a session or a token."""
    token = os.environ.get("API_TOKEN", "")
    given = request.headers.get("Authorization", "")
    known = bool(token) and compare_digest(given, f"Token {token}")
    return HttpResponse(status=204 if known or request.user.is_authenticated else 401)
