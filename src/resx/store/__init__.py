"""The run store: every path under outputs/ is made here."""
