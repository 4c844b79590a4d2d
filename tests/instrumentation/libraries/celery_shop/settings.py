"""What the worker's processes are: a project whose only app is the kit."""

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.instrumentation.libraries.celery_shop.urls"
INSTALLED_APPS = ["otelkit"]
MIDDLEWARE: list[str] = []
DATABASES: dict[str, object] = {}
USE_TZ = True
