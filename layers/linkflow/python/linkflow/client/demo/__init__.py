"""The demonstration: an order intake against a small shop, on real HTTP, in a few seconds."""
