"""One file an analysis: runs or networks in, rows and a figure out."""
