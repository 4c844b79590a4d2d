"""Takes orders: a sync service under gunicorn that asks inventory, over HTTP, to hold the goods."""
