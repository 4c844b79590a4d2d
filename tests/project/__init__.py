"""Views that do one thing each, for tests of the instrumentation."""
