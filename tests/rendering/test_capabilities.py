"""What a chart may ask about the cluster."""

from __future__ import annotations

import pytest

from gracegate.policy.build import api_versions
from gracegate.rendering import API_VERSIONS_FILE
from gracegate.rendering.capabilities import capabilities


def test_the_table_is_fresh() -> None:
    """`make policies` writes it."""
    assert API_VERSIONS_FILE.read_text() == api_versions.build()


@pytest.mark.parametrize(
    ("minor", "version", "is_served"),
    [
        (30, "v1", True),
        (30, "v1/Service", True),
        (30, "policy/v1/PodDisruptionBudget", True),
        (30, "policy/v1beta1", False),
        (30, "monitoring.coreos.com/v1", False),
        (25, "autoscaling/v2beta2", True),
        (26, "autoscaling/v2beta2", False),
        (30, "resource.k8s.io/v1beta1", False),
        (33, "resource.k8s.io/v1", False),
        (34, "resource.k8s.io/v1", True),
        (32, "networking.k8s.io/v1/IPAddress", False),
        (32, "networking.k8s.io/v1/Ingress", True),
        (30, "v1/ServiceList", False),
        # A version that is not known is like the nearest one.
        (20, "autoscaling/v2beta2", True),
        (99, "resource.k8s.io/v1", True),
    ],
)
def test_what_a_cluster_serves(minor: int, version: str, is_served: bool) -> None:
    cluster = capabilities(minor)
    assert cluster["kubernetes_version"] == f"1.{minor}.0"
    assert (version in cluster["api_versions"]) == is_served  # type: ignore[operator]
