"""The Flask front end: pages, the JSON API and the commands. The only package that imports flask."""

from web.app import create_app

__all__ = ["create_app"]
