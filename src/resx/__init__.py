"""resx: why do deep plain networks train worse, and what do residual connections change?"""

__version__ = "0.1.0"
