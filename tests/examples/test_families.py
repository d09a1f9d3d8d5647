"""One example for each of the real-world families, on a real engine and a real Caddy."""

from collections.abc import Callable

import pytest
from example_stack import Stack
from ports import free_port

pytestmark = pytest.mark.engine

Until = Callable[..., None]
BringUp = Callable[..., Stack]


def with_auth(bring_up: BringUp, name: str, service: str) -> Stack:
    """An example whose login is reached on a port of this machine."""
    port = free_port()
    override = f"services:\n  {service}:\n    ports: ['127.0.0.1:{port}:8000']\n"
    return bring_up(name, environment={"AUTH_BACKEND_URL": f"http://127.0.0.1:{port}"}, override=override)


def test_content_management_serves_pages_uploads_and_media_apart(bring_up: BringUp, until: Until) -> None:
    stack = bring_up("content-management")
    until(lambda: "cms page /about" in stack.get("cms.local", "/about").body)
    until(lambda: stack.get("cms.local", "/uploads/draft.txt").body == "an uploaded draft\n")
    assert stack.get("cms.local").headers["x-preview"] == f"enabled for {stack.container('cms')}"
    until(lambda: stack.get("media.cms.local", "/logo.txt").body == "picture\n")
    headers = stack.get("media.cms.local", "/logo.txt").headers
    assert headers["cache-control"] == "public, max-age=86400, immutable"
    assert headers["x-image"] == "nginx:stable"


def test_e_commerce_serves_documents_to_the_customer_only(bring_up: BringUp, until: Until) -> None:
    stack = with_auth(bring_up, "e-commerce", "shop")
    until(lambda: stack.get("shop.local").body == f"shop for {stack.container('shop')}\n")
    until(lambda: stack.get("documents.shop.local", "/products/1.txt").status == 200)
    assert stack.get("documents.shop.local", "/products/1.txt").body == "a picture of a product\n"
    for path in ("/invoices/1.txt", "//invoices/1.txt", "/Invoices/1.txt", "/products/%2e%2e/invoices/1.txt"):
        assert "invoice 1" not in stack.get("documents.shop.local", path).body
    assert stack.get("documents.shop.local", "/invoices/1.txt").status == 401
    served = stack.get("documents.shop.local", "/invoices/1.txt", Cookie="customer=ada")
    assert (served.status, served.body) == (200, "invoice 1\n")
    assert served.headers["cache-control"] == "private, no-store"


def test_saas_uploads_are_seen_by_their_owner_only(bring_up: BringUp, until: Until) -> None:
    stack = with_auth(bring_up, "saas", "api")
    until(lambda: '"/api/x"' in stack.get("saas.local", "/api/x").body)
    until(lambda: stack.get("saas.local", "/dashboard/").body == "the dashboard\n")
    assert stack.get("saas.local", "/dashboard/").headers["x-tier"] == "free of charge"
    assert stack.get("saas.local", "/api/x").headers["x-networks"] == f"[{stack.project}_default]"
    until(lambda: stack.get("uploads.saas.local", "/ada/file.txt", X_User="ada").body == "of ada\n")
    assert stack.get("uploads.saas.local", "/ada/file.txt").status == 403
    assert stack.get("uploads.saas.local", "/ada/file.txt", X_User="bob").status == 403
    assert "of bob" not in stack.get("uploads.saas.local", "/ada/../bob/file.txt", X_User="ada").body


def test_tenants_are_told_apart_by_their_environment_alone(bring_up: BringUp, until: Until) -> None:
    stack = bring_up("multi-tenant")
    for tenant, color in (("acme", "gold"), ("globex", "green")):
        site = f"{tenant}.tenants.local"
        until(lambda site=site: "Hostname: " in stack.get(site).body)
        assert stack.get(site).headers["x-tenant"] == tenant
        assert color in stack.get(site, "/assets/style.css").body
        until(lambda tenant=tenant: f"{tenant}'s own" in stack.get(f"media.{tenant}.tenants.local", "/file.txt").body)
    assert stack.get("acme.tenants.local").headers["x-plan"] == "gold"
    assert "x-plan" not in stack.get("globex.tenants.local").headers
    assert "globex's own" not in stack.get("media.acme.tenants.local", "/../globex/file.txt").body
