"""Training: schedule, trainer, probes, tracking, one run from start to summary."""
