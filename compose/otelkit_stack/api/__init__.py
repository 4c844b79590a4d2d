"""The stack's HTTP APIs for reading: its own, and the part of Tempo's that returns a trace."""
