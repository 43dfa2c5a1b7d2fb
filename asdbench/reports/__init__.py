"""Tables of results, as data and as text. Nothing here imports torch."""
