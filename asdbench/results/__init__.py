"""A results folder: its files, and the scores, metrics and intervals in them."""
