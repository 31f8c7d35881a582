"""One file an analysis: experiments in, rows and a figure out."""
