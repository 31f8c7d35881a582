"""Training: schedule, trainer, tracking."""
