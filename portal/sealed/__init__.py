"""The register of sealed accounts: who keeps them, where they are used, whose turn it is with a new password."""
