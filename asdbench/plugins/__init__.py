"""Names to things: the registry of systems, embeddings and data sets, and the specs that ask for them."""
