"""Where requests go."""

from django.contrib import admin
from django.urls import path

from project import views

urlpatterns = [
    path("", views.home),
    path("health/", views.health),
    path("api/status/", views.status),
    path("api/auth/", views.authenticate),
    path("admin/", admin.site.urls),
]
