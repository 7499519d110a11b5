"""What `flask` and `gunicorn wsgi:app` look for. Importing it loads no model and no index."""

from web import create_app

app = create_app()
