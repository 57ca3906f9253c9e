"""The complete service on one machine: a fake GitHub and the real service, as processes."""
