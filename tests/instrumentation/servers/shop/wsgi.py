import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.instrumentation.servers.shop.settings")
application = get_wsgi_application()

if os.environ.get("SHOP_FORK_HOOK"):
    import uwsgi  # only there inside uWSGI

    uwsgi.post_fork_hook = lambda: print("the shop has forked", flush=True)
