"""The run store: paths under `outputs/`, run directories, summaries, checkpoints."""
