"""Uses of offline cards: declared afterwards, and reviewed with the questions of any use."""
