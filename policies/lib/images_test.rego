package gracegate.lib.images_test

import data.gracegate.lib.images
import data.gracegate.testing

test_absence[note] if {
	some note, case in {
		"distroless": ["gcr.io/distroless/static-debian12", "sh", "certain"],
		"nonroot distroless": ["gcr.io/distroless/base:nonroot", "sleep", "certain"],
		"scratch": ["scratch", "sleep", "certain"],
		"a mirror": ["registry.example/distroless/java:21", "sh", "likely"],
		"a tag": ["envoyproxy/envoy:distroless-v1.31.0", "sh", "likely"],
		"Chainguard": ["cgr.dev/chainguard/nginx:latest", "bash", "likely"],
		"ko": ["ko://example.com/cmd/web", "sleep", "likely"],
		"nonroot": ["registry.example/web:1.4-nonroot", "curl", "likely"],
		"static": ["registry.example/web:1.4-static@sha256:0", "wget", "likely"],
		"bash on alpine": ["nginx:1.27-alpine3.20", "bash", "likely"],
		"bash on alpine itself": ["alpine", "bash", "likely"],
		"bash on busybox": ["docker.io/library/busybox:1.36", "bash", "likely"],
	}
	images.absence(case[0], case[1]) == case[2]
}

test_no_absence[note] if {
	some note, case in {
		"a program of the app": ["gcr.io/distroless/java21", "java"],
		"debug": ["gcr.io/distroless/base:debug-nonroot", "sh"],
		"debug elsewhere": ["registry.example/distroless/base:debug", "sh"],
		"dev": ["cgr.dev/chainguard/python:latest-dev", "sh"],
		"a shell": ["cgr.dev/chainguard/busybox:latest", "sh"],
		"sh on alpine": ["nginx:alpine", "sh"],
		"bash where alpine comes with it": ["postgres:16-alpine", "bash"],
		"a name that only sounds like it": ["registry.example/my-static-site:1", "sh"],
		"anything": ["nginx:1.27", "bash"],
		"nothing": ["", "sh"],
	}
	not images.absence(case[0], case[1])
}

test_can_sleep[note] if {
	some note, case in {
		"native": ["scratch", 30],
		"an image with sleep": ["nginx", 29],
	}
	images.can_sleep(case[0], case[1])
}

test_cannot_sleep if not images.can_sleep("scratch", 29)

web(image, command) := testing.set(
	testing.with_container(["lifecycle", "preStop"], {"exec": {"command": command}}),
	testing.inside(["image"]),
	image,
)

test_missing_programs[note] if {
	some note, case in {
		"certain": ["scratch", ["/bin/sh", "-c", "x"], [["sh", "certain"]]],
		"likely": ["x:alpine", ["bash", "-c", "x"], [["bash", "likely"]]],
		"in a system directory": ["scratch", ["/usr/local/bin/bash", "-c", "x"], [["bash", "certain"]]],
		"in a directory of the app": ["scratch", ["/busybox/sh", "-c", "x"], []],
		"not": ["x:1", ["bash", "-c", "x"], []],
		"with a defect": ["scratch", ["sleep 5"], []],
	}
	found := images.missing_programs[0] with input as testing.batch([web(case[0], case[1])])
	[[missing.program, missing.certainty] | some missing in found] == case[2]
}

test_helpers[image] if {
	some image in [
		"fluent/fluent-bit:3.1",
		"cr.fluentbit.io/fluent/fluent-bit",
		"docker.elastic.co/beats/filebeat:8.1",
		"gcr.io/cloudsql-docker/gce-proxy:1.33",
		"quay.io/brancz/kube-rbac-proxy@sha256:00",
		"nginx/nginx-prometheus-exporter:1.3",
		"docker.io/istio/proxyv2:1.29",
		"quay.io/prometheus-operator/prometheus-config-reloader:v0.79",
	]
	images.is_helper(image)
}

test_no_helpers[image] if {
	some image in [
		"",
		"registry.example/web:fluentd",
		"quay.io/oauth2-proxy/oauth2-proxy:v7",
		"fluentd/web",
		"registry.example/exporter-of-orders",
		"envoyproxy/envoy",
	]
	not images.is_helper(image)
}
