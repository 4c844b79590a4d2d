"""The stack's web page: services and newest traces, and one trace as a tree. Server-rendered, no scripts."""
