"""Test suites that nobody here wrote, with the kit off and on: Django's own and Django REST framework's (B9).

python -m tests.conformance.suites [--subset] [--suite django|drf]
"""
