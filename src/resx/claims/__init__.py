"""Every claim of the notes with what was measured of it: rows, a table, a page."""
