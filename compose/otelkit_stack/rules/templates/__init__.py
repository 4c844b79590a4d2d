"""The templates of alerts: Go's text/template, as far as labels and annotations use it, with Prometheus' functions."""
