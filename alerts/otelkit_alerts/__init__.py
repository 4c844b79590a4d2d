"""Recording rules, alerts, their runbooks and their tests, written as values and rendered for Prometheus."""
