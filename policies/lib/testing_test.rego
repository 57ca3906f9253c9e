# What the tests are made of: an honest Deployment behind a Service, and ways to change it.
package gracegate.testing

import data.gracegate.testing_defaults

# A node's drain differs from an ingress's, so that a test sees which of them counts.
cluster := object.union(testing_defaults.cluster, {"drain_seconds": {"node": 16}})

# All in one file.
batch(objects) := questions([placed(manifest, "apps/web.yaml") | some manifest in objects])

questions(documents) := {
	"documents": documents,
	"unread": [],
	"rules": [],
	"params": testing_defaults.params,
	"cluster": cluster,
}

# A question that does not ask for any rule with parameters.
without_params(question) := object.union(object.remove(question, ["params"]), {"params": {}})

placed(manifest, path) := {
	"object": manifest,
	"path": path,
	"directory": split(path, "/")[0],
	"index": 0,
	"subject": true,
	"fragment": false,
	"root": split(path, "/")[0],
}

fragment(manifest, path) := object.union(placed(manifest, path), {"fragment": true})

fact(manifest, path) := object.union(placed(manifest, path), {"subject": false})

doubtful(question) := object.union(question, {"unread": [{"path": "apps/x.yaml", "directory": "apps", "root": "apps"}]})

at_version(question, minor) := object.union(question, {"cluster": object.union(cluster, {"min_minor": minor})})

set(manifest, path, value) := json.patch(manifest, [{"op": "add", "path": path, "value": value}])

swap(manifest, path, value) := json.patch(manifest, [{"op": "replace", "path": path, "value": value}])

drop(manifest, path) := json.patch(manifest, [{"op": "remove", "path": path}])

# A patch of a fix on the only document that it touches.
mended(question, fixes) := {"documents": documents} if {
	documents := [document |
		some i, old in question.documents
		steps := [object.remove(step, ["document"]) | some at, fix in fixes; at.document == i; some step in fix.patch]
		document := object.union(object.remove(old, ["object"]), {"object": json.patch(old.object, steps)})
	]
}

container := ["spec", "template", "spec", "containers", 0]

web := {
	"apiVersion": "apps/v1",
	"kind": "Deployment",
	"metadata": {"name": "web"},
	"spec": {
		"selector": {"matchLabels": {"app": "web"}},
		"template": {
			"metadata": {"labels": {"app": "web"}},
			"spec": {"containers": [{
				"name": "web",
				"image": "registry.example/web:1.4.2",
				"ports": [{"name": "http", "containerPort": 8080}],
				"readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
				"lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
			}]},
		},
	},
}

service := {
	"apiVersion": "v1",
	"kind": "Service",
	"metadata": {"name": "web"},
	"spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
}

inside(path) := array.concat(container, path)

with_container(path, value) := set(web, inside(path), value)

# web with so many pods.
scaled(replicas) := set(web, ["spec", "replicas"], replicas)

budget := {
	"apiVersion": "policy/v1",
	"kind": "PodDisruptionBudget",
	"metadata": {"name": "web"},
	"spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
}

autoscaler := {
	"apiVersion": "autoscaling/v2",
	"kind": "HorizontalPodAutoscaler",
	"metadata": {"name": "web"},
	"spec": {
		"minReplicas": 2,
		"maxReplicas": 6,
		"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
	},
}

mounting(manifest) := set(
	manifest,
	["spec", "template", "spec", "volumes"],
	[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
)

claim(modes) := {
	"apiVersion": "v1",
	"kind": "PersistentVolumeClaim",
	"metadata": {"name": "data"},
	"spec": {"accessModes": modes},
}

anti_affinity(term) := {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [object.union(
	{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}},
	term,
)]}}

apart(manifest) := set(manifest, ["spec", "template", "spec", "affinity"], anti_affinity({}))
