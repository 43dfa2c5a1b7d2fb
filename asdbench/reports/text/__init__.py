"""Reports as text: Markdown, LaTeX, CSV, JSON."""
