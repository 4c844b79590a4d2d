from functools import partial

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, re_path

from otelkit.metrics.pull import metrics
from tests.project import views

urlpatterns = [
    path("", views.ok),
    path("items/<int:pk>", views.ok),
    path("items/<int:pk>/parts/<slug:part>/", views.ok),
    re_path(r"^archive/(?P<year>[0-9]{4})/(?:page-(?P<page>\d+)/)?$", views.ok),
    re_path(r"^legacy/(\d+)\.html$", views.ok),
    path("api/", include([path("things/", include([re_path(r"^(?P<pk>[^/.]+)/$", views.ok)]))])),
    path("reset/<str:token>/", views.ok),
    path("async/items/<int:pk>", views.async_ok),
    path("async/boom", views.async_boom),
    path("boom", views.boom),
    path("missing", views.missing),
    path("forbidden", views.forbidden),
    path("suspicious", views.suspicious),
    path("fails", views.fails),
    path("exits", views.exits),
    path("stream", views.stream),
    path("async/stream", views.async_stream),
    path("queries/<int:times>", views.queries),
    path("literal", views.literal),
    path("async/queries/<int:times>", views.async_n_plus_one),
    path("async/queries", views.async_queries),
    path("logs", views.logs),
    path("livez", views.queries_in_probe),
    path("static/app.css", views.ok),
    path("metrics", metrics),
    path("threads", views.threads),
    path("class/<int:pk>", views.ClassBased.as_view()),
    path("callable", views.CallableView()),
    path("partial", partial(views.ok)),
    path("template", views.template),
    path("cached", views.cached),
    path("headers", views.headers),
    path("says-headers", views.says_headers),
    path("user", views.who),
    path("async/user", views.async_who),
    path("generator-exits", views.generator_exits),
    path("async/cancelled", views.async_cancelled),
    path("async/waits", views.async_waits),
    path("async/drips", views.async_drips),
    path("rest/", include("tests.project.rest")),
    path("call", views.call),
    *i18n_patterns(path("pages/<int:pk>", views.ok)),
]
