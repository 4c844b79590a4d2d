"""As small as a project can be. What is under test comes by the environment."""

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "tests.instrumentation.servers.shop.urls"
INSTALLED_APPS = ["otelkit"]
MIDDLEWARE: list[str] = []
WSGI_APPLICATION = "tests.instrumentation.servers.shop.wsgi.application"
