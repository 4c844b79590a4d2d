"""What otelkit raises itself. Only starting, loading settings and the command line raise; nothing on a request's way does."""


class OtelkitError(Exception):
    """Anything otelkit has to say to a person; the message names the thing, the value and the way on."""


class ConfigError(OtelkitError):
    """Settings or environment variables that cannot be used; the message lists all problems at once."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))
