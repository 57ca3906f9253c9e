package main

import (
	"strings"
	"testing"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - image: web:1
        name: web
`

// A schema in which containers are a list like any other: a patch replaces it whole.
const ownSchema = `{"definitions": {"v1.Deployment": {
	"type": "object",
	"x-kubernetes-group-version-kind": [{"group": "apps", "kind": "Deployment", "version": "v1"}]
}}}`

var overlays = map[string]string{
	"base/kustomization.yaml":   "resources: [web.yaml]\n",
	"base/web.yaml":             deployment,
	"prod/kustomization.yaml":   "resources: [../base]\npatches: [path: patch.yaml]\n",
	"prod/patch.yaml":           strings.Replace(deployment, "image: web:1", "imagePullPolicy: Always", 1),
	"own/kustomization.yaml":    "resources: [../base]\npatches: [path: ../prod/patch.yaml]\nopenapi: {path: schema.json}\n",
	"own/schema.json":           ownSchema,
	"below/kustomization.yaml":  "resources: [../own]\n",
	"broken/kustomization.yaml": "resources: [../base]\npatches: [path: ../prod/patch.yaml]\nopenapi: {path: schema.json}\n",
	"broken/schema.json":        "{",
	"old/kustomization.yaml":    "resources: [../base]\npatches: [path: ../prod/patch.yaml]\nopenapi: {version: v1.21.2}\n",
}

func TestKustomize(t *testing.T) {
	merged := strings.Replace(deployment, "image: web:1", "image: web:1\n        imagePullPolicy: Always", 1)
	for name, test := range map[string]struct {
		files map[string]string
		want  string
		err   string
	}{
		"no kustomization": {
			map[string]string{"prod/web.yaml": deployment}, "",
			"unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory 'prod'",
		},
		"nothing in it":          {map[string]string{"prod/kustomization.yaml": ""}, "", "kustomization.yaml is empty"},
		"a patch of another one": {overlays, merged, ""},
		"a resource of another directory": {
			map[string]string{"prod/kustomization.yaml": "resources: [../web.yaml]\n", "web.yaml": deployment}, deployment, "",
		},
		"objects in the order of the command": {
			map[string]string{"prod/kustomization.yaml": "resources: [web.yaml, a.yaml]\n", "prod/web.yaml": deployment, "prod/a.yaml": configMap},
			configMap + "---\n" + deployment, "",
		},
		"a name with a space": {
			map[string]string{"prod/kustomization.yaml": "resources: [my web.yaml]\n", "prod/my web.yaml": deployment}, deployment, "",
		},
		"a resource that is not there": {
			map[string]string{"prod/kustomization.yaml": "resources: [web.yaml]\n"}, "", missing("prod", "web.yaml"),
		},
		"a resource outside of the tree": {
			map[string]string{"prod/kustomization.yaml": "resources: [../../web.yaml]\n", "web.yaml": deployment}, "",
			"accumulating resources from '../../web.yaml': open /web.yaml: file does not exist",
		},
		"a resource from the top of the disk": {
			map[string]string{"prod/kustomization.yaml": "resources: [/web.yaml]\n", "web.yaml": deployment}, "",
			"file does not exist",
		},
		"bases that need each other": {
			map[string]string{"prod/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "resources: [../prod]\n"}, "",
			"cycle detected",
		},
		"a generator that is a program": {
			map[string]string{
				"prod/kustomization.yaml": "generators: [run.yaml]\n",
				"prod/run.yaml": "apiVersion: v1\nkind: Run\nmetadata:\n  name: run\n  annotations:\n" +
					"    config.kubernetes.io/function: 'exec: {path: ./run.sh}'\n",
				"prod/run.sh": "#!/bin/sh\necho ran\n",
			}, "",
			"external plugins disabled; unable to load external plugin 'Run'",
		},
		"a chart": {
			map[string]string{"prod/kustomization.yaml": "helmCharts: [{name: web, releaseName: web}]\n"}, "", "must specify --enable-helm",
		},
		"a secret of a file that git does not have": {
			map[string]string{"prod/kustomization.yaml": "secretGenerator: [{name: a, envs: [secret.env]}]\n"}, "",
			"open prod/secret.env: file does not exist",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := kustomize(treeOf(test.files), root{Path: "prod"}, cluster)
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(relative(err.Error()), test.err) {
				t.Errorf("got the error %v, want %q", err, test.err)
			}
		})
	}
}

// TestSchema builds roots one after the other: what comes before makes no difference, in either direction.
func TestSchema(t *testing.T) {
	asked := request{MaxOutputBytes: 10_000}
	directories := []string{"prod", "own", "prod", "old", "prod", "broken", "prod", "below", "own", "prod"}
	for _, directory := range directories {
		asked.Roots = append(asked.Roots, root{Kind: "kustomize", Path: directory})
	}
	patched := strings.Replace(deployment, "image: web:1", "imagePullPolicy: Always", 1)
	merged := strings.Replace(deployment, "image: web:1", "image: web:1\n        imagePullPolicy: Always", 1)
	want := map[string]answer{
		"prod":   {Text: merged},
		"old":    {Text: merged},
		"own":    {Text: patched},
		"below":  {Text: patched},
		"broken": {Error: "panic: invalid schema file: jsontext: unexpected EOF after offset 1"},
	}
	for i, got := range served(t, asked, overlays) {
		if got != want[directories[i]] {
			t.Errorf("%d, %s: got %+v, want %+v", i, directories[i], got, want[directories[i]])
		}
	}
}

func BenchmarkKustomize(b *testing.B) {
	files := treeOf(overlays)
	for b.Loop() {
		if _, err := kustomize(files, root{Path: "prod"}, cluster); err != nil {
			b.Fatal(err)
		}
	}
}
