"""The version of asdbench, in one place."""

__version__ = "0.1.0"
