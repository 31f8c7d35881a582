"""What a refusal must look like."""


def assert_refused(answer, message):
    """One line on stderr, which has the message in it, and exit code 2."""
    assert answer.code == 2, answer
    assert answer.err.count("\n") == 1, answer.err
    assert answer.err.startswith("resx")
    assert message in answer.err
