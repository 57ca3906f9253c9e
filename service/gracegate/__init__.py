"""gracegate reviews pull requests that change Kubernetes manifests."""

__version__ = "0.1.0"
