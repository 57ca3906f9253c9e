"""GitHub, as a GitHub App sees it: the only importer of PyGithub."""
