"""Recording metrics: an aggregator for the hot path, what the process says about itself, and the pull road."""
