"""Images: one file a data set."""
