"""A GitHub for tests and demos: stateful, over real git repositories, held to GitHub's own OpenAPI description."""
