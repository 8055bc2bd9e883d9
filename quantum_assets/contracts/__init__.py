"""The nouns that rooms exchange: values, table contracts, fingerprints and the error tree. Imports no other room."""
