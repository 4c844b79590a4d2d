"""A Django project with a Celery app, as small as it can be. Its broker and its folder come by the environment."""
