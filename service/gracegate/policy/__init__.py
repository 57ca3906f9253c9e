"""Rego: the catalogue of rules and the two engines that evaluate them."""
