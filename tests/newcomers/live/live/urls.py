from django.urls import path

from live import views

urlpatterns = [
    path("scores/<slug:game>/", views.score),
    path("scores/<slug:game>/events", views.events),
    path("both/", views.both),
    path("sync/", views.sync),
    path("broken/", views.broken),
]
