package main

import (
	"strings"
	"testing"
)

const service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: %\n"

// named is the Service of that name.
func named(name string) string { return strings.Replace(service, "%", name, 1) }

// inflating is a kustomization with a chart that makes a Service of its value `name`.
func inflating(settings string, more ...string) map[string]string {
	files := map[string]string{
		"prod/kustomization.yaml":        settings,
		"charts/web/Chart.yaml":          chartFile,
		"charts/web/values.yaml":         "name: default\n",
		"charts/web/templates/a.yaml":    named("{{ .Values.name }}"),
		"charts/web/templates/hook.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    helm.sh/hook: pre-install\n  name: hook\n",
	}
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	return files
}

func TestInflate(t *testing.T) {
	const globals = "helmGlobals: {chartHome: ../charts}\n"
	for name, test := range map[string]struct {
		files map[string]string
		want  string
		err   string
	}{
		"values of the chart": {inflating(globals + "helmCharts: [{name: web, skipHooks: true}]\n"), named("default"), ""},
		"a patch and a prefix": {
			inflating(globals + "helmCharts: [{name: web, skipHooks: true}]\nnamePrefix: a-\n"), named("a-default"), "",
		},
		"with hooks": {
			inflating(globals + "helmCharts: [{name: web}]\n"),
			"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    helm.sh/hook: pre-install\n  name: hook\n---\n" + named("default"), "",
		},
		"inline values win": {
			inflating(globals+"helmCharts: [{name: web, skipHooks: true, valuesFile: v.yaml, valuesInline: {name: inline}}]\n", "prod/v.yaml", "name: file\n"), named("inline"), "",
		},
		"inline values lose": {
			inflating(globals+"helmCharts: [{name: web, skipHooks: true, valuesFile: v.yaml, valuesInline: {name: inline}, valuesMerge: merge}]\n", "prod/v.yaml", "name: file\n"), named("file"), "",
		},
		"inline values alone": {
			inflating(globals+"helmCharts: [{name: web, skipHooks: true, valuesFile: v.yaml, valuesInline: {a: b}, valuesMerge: replace}]\n", "prod/v.yaml", "name: file\n"), named("default"), "",
		},
		"more values": {
			inflating(globals+"helmCharts: [{name: web, skipHooks: true, additionalValuesFiles: [v.yaml]}]\n", "prod/v.yaml", "name: more\n"), named("more"), "",
		},
		"in a base": {
			map[string]string{
				"prod/kustomization.yaml":    "resources: [../base]\nnamePrefix: a-\n",
				"base/kustomization.yaml":    "helmCharts: [{name: web, releaseName: x, namespace: zoo}]\n",
				"base/charts/web/Chart.yaml": chartFile, "base/charts/web/templates/a.yaml": named("{{ .Release.Name }}-{{ .Release.Namespace }}"),
			}, named("a-x-zoo"), "",
		},
		"of a version": {
			map[string]string{
				"prod/kustomization.yaml":                    "helmCharts: [{name: web, version: 1.0.0, repo: 'https://charts.example'}]\n",
				"prod/charts/web-1.0.0/web/Chart.yaml":       chartFile,
				"prod/charts/web-1.0.0/web/templates/a.yaml": named("a"),
			}, named("a"), "",
		},
		"a chart that is elsewhere": {
			inflating("helmCharts: [{name: web, version: 1.0.0, repo: 'https://charts.example'}]\n"), "", "must specify --enable-helm",
		},
		"a chart outside of the tree": {inflating("helmGlobals: {chartHome: ../../..}\nhelmCharts: [{name: x}]\n"), "", "must specify --enable-helm"},
		"values that are not there":   {inflating(globals + "helmCharts: [{name: web, valuesFile: v.yaml}]\n"), "", "chart web of prod/kustomization.yaml: open prod/v.yaml: file does not exist"},
		"a chart that is refused": {
			inflating(globals+"helmCharts: [{name: web}]\n", "charts/web/templates/b.yaml", `{{ required "say b" .Values.b }}`), "", "say b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := treeOf(test.files)
			before := len(files.files)
			got, err := kustomize(files, root{Path: "prod"}, cluster)
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(relative(err.Error()), test.err) {
				t.Errorf("got the error %v, want %q", err, test.err)
			}
			if len(files.files) != before || string(files.files["/tree/prod/kustomization.yaml"]) != test.files["prod/kustomization.yaml"] {
				t.Errorf("the files are not as before")
			}
		})
	}
}
