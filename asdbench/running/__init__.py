"""A run: what is asked, what is done already, jobs, and what is written."""
