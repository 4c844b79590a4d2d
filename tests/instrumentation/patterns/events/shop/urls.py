"""Nobody asks this shop anything."""

urlpatterns: list[object] = []
