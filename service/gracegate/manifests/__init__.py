"""Text and Kubernetes documents: reading with places, finding, and editing by proved line edits. Pure."""
