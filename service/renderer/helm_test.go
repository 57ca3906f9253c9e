package main

import (
	"strings"
	"testing"
)

const chartFile = "apiVersion: v2\nname: web\nversion: 1.0.0\n"

var cluster = capabilities{
	KubernetesVersion: "1.30.0",
	APIVersions:       []string{"policy/v1", "policy/v1/PodDisruptionBudget"},
}

// chartOf is a chart with one template, beside other files of it.
func chartOf(template string, more ...string) map[string]string {
	files := map[string]string{"charts/web/Chart.yaml": chartFile, "charts/web/templates/a.yaml": template}
	for i := 0; i < len(more); i += 2 {
		files["charts/web/"+more[i]] = more[i+1]
	}
	return files
}

func TestHelm(t *testing.T) {
	with := func(values ...string) root {
		return root{Path: "charts/web", Release: "shop", Namespace: "prod", Values: values}
	}
	for name, test := range map[string]struct {
		files map[string]string
		root  root
		want  string
		err   string
	}{
		"no chart":       {map[string]string{"charts/web/a": ""}, with(), "", "Chart.yaml file is missing"},
		"no such folder": {chartOf(""), root{Path: "charts/shop"}, "", "Chart.yaml file is missing"},
		"no text":        {chartOf("{{ if false }}a: b{{ end }}\n"), with(), "", ""},
		"a chart at the top": {
			map[string]string{"Chart.yaml": chartFile, "templates/a.yaml": "a: b"}, root{Path: "."}, "---\n# Source: web/templates/a.yaml\na: b\n", "",
		},
		"templates by name, without partials and notes": {
			chartOf("b: {{ include \"x\" . }}\n", "templates/_x.tpl", `{{ define "x" }}1{{ end }}`, "templates/NOTES.txt", "Hello", "templates/A.yaml", "a: 1"),
			with(),
			"---\n# Source: web/templates/A.yaml\na: 1\n---\n# Source: web/templates/a.yaml\nb: 1\n",
			"",
		},
		"the release": {
			chartOf("{{ .Release.Name }}/{{ .Release.Namespace }}: {{ .Release.IsInstall }}"), with(),
			"---\n# Source: web/templates/a.yaml\nshop/prod: true\n", "",
		},
		"later values win, and null takes a default away": {
			chartOf("{{ .Values | toJson }}", "values.yaml", "a: {b: 1, c: 2, d: 3}\n"),
			with("a: {b: 4, d: 5}\n", "a: {b: 6, c: null}\n"),
			"---\n# Source: web/templates/a.yaml\n{\"a\":{\"b\":6,\"d\":5}}\n", "",
		},
		"values that are no YAML": {chartOf(""), with("a: ["), "", "did not find expected"},
		"a dependency in the tree": {
			chartOf("a: b", "Chart.yaml", chartFile+"dependencies: [{name: db, version: 1.0.0}]\n",
				"charts/db/Chart.yaml", strings.Replace(chartFile, "web", "db", 1), "charts/db/templates/c.yaml", "c: {{ .Values.c }}", "values.yaml", "db: {c: d}\n"),
			with(),
			"---\n# Source: web/charts/db/templates/c.yaml\nc: d\n---\n# Source: web/templates/a.yaml\na: b\n", "",
		},
		"a dependency elsewhere": {
			chartOf("a: b", "Chart.yaml", chartFile+"dependencies: [{name: db, version: 1.0.0, repository: 'https://charts.invalid'}]\n"), with(),
			"", "found in Chart.yaml, but missing in charts/ directory: db",
		},
		"a dependency beside it, with one of its own": {
			map[string]string{
				"charts/web/Chart.yaml":          chartFile + "dependencies: [{name: db, version: 1.0.0, repository: 'oci://a.example'}]\n",
				"charts/db/Chart.yaml":           strings.Replace(chartFile, "web", "db", 1) + "dependencies: [{name: x, version: 1.0.0, repository: 'file://../../x'}]\n",
				"charts/db/templates/c.yaml":     "c: d",
				"x/Chart.yaml":                   strings.Replace(chartFile, "web", "x", 1),
				"x/templates/e.yaml":             "e: f",
				"charts/other/Chart.yaml":        strings.Replace(chartFile, "web", "other", 1),
				"charts/other/templates/no.yaml": "a: b",
			},
			with(),
			"---\n# Source: web/charts/db/charts/x/templates/e.yaml\ne: f\n---\n# Source: web/charts/db/templates/c.yaml\nc: d\n", "",
		},
		"charts that need each other": {
			map[string]string{
				"charts/web/Chart.yaml": chartFile + "dependencies: [{name: db, version: 1.0.0, repository: 'file://../db'}]\n",
				"charts/db/Chart.yaml":  strings.Replace(chartFile, "web", "db", 1) + "dependencies: [{name: web, version: 1.0.0, repository: 'file://../web'}]\n",
			},
			with(), "", "",
		},
		"tests and hooks": {
			chartOf("---\na: b\n---\nkind: Job\nmetadata:\n  annotations:\n    \"helm.sh/hook\": pre-install\n--- # last\nc: \"{{ print }}helm.sh/hook\"\n",
				"templates/tests/a.yaml", "a: b"),
			with(), "---\n# Source: web/templates/a.yaml\n---\na: b\n--- # last\nc: \"helm.sh/hook\"\n", "",
		},
		"a hook with marks": {
			chartOf("\ue0000:1\ue001a: b\n\ue0000:2\ue001---\n\ue0000:3\ue001metadata:\n  \ue0000:4\ue001annotations: {helm.sh/hook: test}\n"),
			with(), "---\n# Source: web/templates/a.yaml\n\ue0000:1\ue001a: b\n", "",
		},
		"changed afterwards": {
			chartOf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
			root{Path: "charts/web", PostRenderers: []string{"{namePrefix: b-}", `{"patches": [{"patch": "[{\"op\": \"add\", \"path\": \"/data\", \"value\": {\"c\": \"d\"}}]", "target": {"name": "b-a"}}]}`}},
			"apiVersion: v1\ndata:\n  c: d\nkind: ConfigMap\nmetadata:\n  name: b-a\n", "",
		},
		"a library": {chartOf("a: b", "Chart.yaml", chartFile+"type: library\n"), with(), "", "library charts are not installable"},
		"a newer cluster wanted": {
			chartOf("a: b", "Chart.yaml", chartFile+"kubeVersion: '>=1.31.0'\n"), with(),
			"", "chart requires kubeVersion: >=1.31.0 which is incompatible with Kubernetes v1.30.0",
		},
		"kinds and version of the cluster": {
			chartOf(`a: {{ list .Capabilities.KubeVersion.Minor (.Capabilities.APIVersions.Has "policy/v1/PodDisruptionBudget") (.Capabilities.APIVersions.Has "policy/v1beta1") | toJson }}`), with(),
			"---\n# Source: web/templates/a.yaml\na: [\"30\",true,false]\n", "",
		},
		"ignored files and directories": {
			chartOf(`{{ range $name, $_ := .Files.Glob "**" }}- {{ $name }}{{ "\n" }}{{ end }}`, ".helmignore", "\ufeffold/\n*.bak\n", "old/x", "", "x.bak", "", "x.txt", "", "templates/.b.yaml", "b: c"), with(),
			"---\n# Source: web/templates/a.yaml\n- .helmignore\n- x.txt\n", "",
		},
		"a pattern that Helm does not take": {chartOf("a: b", ".helmignore", "**/x\n"), with(), "", "double-star (**) syntax is not supported"},
		"a byte order mark":                 {chartOf("a: {{ .Values.a }}", "values.yaml", "\ufeffa: b\n"), with(), "---\n# Source: web/templates/a.yaml\na: b\n", ""},
		"values that nobody gives": {
			chartOf(`a: {{ required "say a" .Values.a }}`), with(), "",
			`execution error at (web/templates/a.yaml:1:6): say a`,
		},
		"a schema of values": {
			chartOf("a: b", "values.schema.json", `{"properties": {"a": {"type": "string"}}}`), with("a: 1"), "", "values don't meet the specifications of the schema",
		},
		"no cluster and no network to ask": {
			chartOf(`a: [{{ lookup "v1" "Pod" "a" "b" | toJson }}, {{ getHostByName "localhost" | quote }}]`), with(),
			"---\n# Source: web/templates/a.yaml\na: [{}, \"\"]\n", "",
		},
		"a copy of values is another one": {
			chartOf(`{{ $copy := deepCopy .Values }}{{ $_ := set $copy.a "b" 1 }}{{ $_ := set (index $copy.c 0) "d" 2 }}a: {{ list .Values $copy | toJson }}`,
				"values.yaml", "a: {b: null}\nc: [{d: x, e: [], f: {}, g: 1.5, h: true}]\n"),
			with(),
			`---
# Source: web/templates/a.yaml
a: [{"a":{"b":null},"c":[{"d":"x","e":[],"f":{},"g":1.5,"h":true}]},{"a":{"b":1},"c":[{"d":2,"e":[],"f":{},"g":1.5,"h":true}]}]
`, "",
		},
		"a copy of all that a template has": {
			chartOf(`{{ with deepCopy . }}a: {{ list .Chart.Name (.Files.Get "x.txt") .Release.Name .Capabilities.KubeVersion.Minor (deepCopy (dict "x" nil)) | toJson }}{{ end }}`, "x.txt", "y"),
			with(), "---\n# Source: web/templates/a.yaml\na: [\"web\",\"y\",\"shop\",\"30\",{\"x\":null}]\n", "",
		},
		"a copy of nothing": {chartOf("a: {{ deepCopy .Values.a }}"), with(), "", "error calling deepCopy: reflect: call of reflect.Value.Type on zero Value"},
		"no environment":    {chartOf(`a: {{ env "HOME" }}`), with(), "", `function "env" not defined`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := helm(treeOf(test.files), test.root, cluster)
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got the error %v, want %q", err, test.err)
			}
		})
	}
}

func TestRandomNumbersAreTheSameForARoot(t *testing.T) {
	files := chartOf(`a: [{{ randInt 0 1000000 }}, {{ shuffle "abcdefghijklmnop" }}]`)
	web := root{Kind: "helm", Path: "charts/web"}
	answers := served(t, request{Roots: []root{web, web}, Capabilities: cluster, MaxOutputBytes: 1000}, files)
	if answers[0].Error != "" || answers[0] != answers[1] {
		t.Errorf("got %+v and %+v", answers[0], answers[1])
	}
}
