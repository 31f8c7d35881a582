"""Errors that are the request's, not ours: one line for the person who asked."""


class RequestError(ValueError):
    """What was asked for cannot be done as it was asked; the message says what to change."""


class BusyError(RequestError):
    """Another process does what was asked for; in a sweep that is no failure."""
