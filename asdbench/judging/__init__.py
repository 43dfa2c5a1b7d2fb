"""Verdicts: results beside published tables, beside each other, and beside expected scores."""
