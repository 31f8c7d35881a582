"""A grid of runs: expand, status, forecast, launch."""
