# What the tests are made of: an honest Deployment behind a Service, and ways to change it.
package gracegate.testing

import data.gracegate.lib.values
import data.gracegate.testing_defaults

# A node's drain differs from an ingress's, so that a test sees which of them counts.
cluster := object.union(testing_defaults.cluster, {"drain_seconds": {"node": 16}})

# All in one file.
batch(objects) := batch_of([document(manifest, "apps/web.yaml") | some manifest in objects])

batch_of(documents) := {
	"documents": documents,
	"before": [],
	"added": [],
	"unread": [],
	"rules": [],
	"rollouts": false,
	"params": testing_defaults.params,
	"cluster": cluster,
}

document(manifest, path) := {
	"object": manifest,
	"path": path,
	"directory": split(path, "/")[0],
	"index": 0,
	"subject": true,
	"fragment": false,
	"root": split(path, "/")[0],
	"rendered_root": split(path, "/")[0],
	"namespace": values.string(object.get(manifest, ["metadata", "namespace"], "")),
	"declared_namespace": values.string(object.get(manifest, ["metadata", "namespace"], "")),
}

# A change, from manifests to manifests of one file. They are the same if file, kind, name and namespace are.
change(base, head) := change_of(batch(head), [document(manifest, "apps/web.yaml") | some manifest in base])

# To what the documents of the batch are, from other documents.
change_of(batch, base) := object.union(batch, {"before": array.concat(modified, removed), "added": added}) if {
	names := [_name(document) | some document in batch.documents]
	modified := [object.union(former(document), {"document": i}) |
		some i, name in names
		some document in base
		_name(document) == name
		document.object != batch.documents[i].object
	]
	removed := [former(document) | some document in base; not _name(document) in names]
	base_names := [_name(document) | some document in base]
	added := [i | some i, name in names; not name in base_names]
}

former(document) := object.remove(document, ["subject"])

_name(document) := [document.path, document.object.kind, document.object.metadata.name, document.namespace]

fragment(manifest, path) := object.union(document(manifest, path), {"fragment": true})

fact(manifest, path) := object.union(document(manifest, path), {"subject": false})

with_unread_file(batch) := object.union(
	batch,
	{"unread": [{"path": "apps/x.yaml", "directory": "apps", "root": "apps"}]},
)

at_version(batch, minor) := object.union(batch, {"cluster": object.union(cluster, {"min_minor": minor})})

set(manifest, path, value) := json.patch(manifest, [{"op": "add", "path": path, "value": value}])

replace_at(manifest, path, value) := json.patch(manifest, [{"op": "replace", "path": path, "value": value}])

remove_at(manifest, path) := json.patch(manifest, [{"op": "remove", "path": path}])

# A patch of a fix on the only document that it touches.
fixed_documents(batch, fixes) := {"documents": documents} if {
	documents := [document |
		some i, old in batch.documents
		steps := [object.remove(step, ["document"]) | some fix in fixes; fix.at.document == i; some step in fix.patch]
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
with_replicas(replicas) := set(web, ["spec", "replicas"], replicas)

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

with_volume(manifest) := set(
	manifest,
	["spec", "template", "spec", "volumes"],
	[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
)

pvc(modes) := {
	"apiVersion": "v1",
	"kind": "PersistentVolumeClaim",
	"metadata": {"name": "data"},
	"spec": {"accessModes": modes},
}

anti_affinity(term) := {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [object.union(
	{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}},
	term,
)]}}

with_anti_affinity(manifest) := set(manifest, ["spec", "template", "spec", "affinity"], anti_affinity({}))
