"""From run directories to tables, verdicts, figures and a page; a report never changes a run."""
