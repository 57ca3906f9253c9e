package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/ignore"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

// capabilities is what a chart may ask about the cluster: its version, and "group/version" and
// "group/version/Kind" of what it serves.
type capabilities struct {
	KubernetesVersion string   `json:"kubernetes_version"`
	APIVersions       []string `json:"api_versions"`
}

// helm renders a chart as `helm template` does, its templates in the order of their names, without notes, CRDs, tests
// and hooks: these are no objects that an update rolls.
func helm(files *tree, root root, cluster capabilities) (string, error) {
	rendered, err := renderChart(files, absolute(root.Path), root, cluster)
	if err != nil {
		return "", err
	}
	text := joined(rendered)
	for _, kustomization := range root.PostRenderers {
		if text, err = postRendered(text, kustomization); err != nil {
			return "", err
		}
	}
	return text, nil
}

// renderChart is the text of each template of the chart in a directory.
func renderChart(files *tree, directory string, root root, cluster capabilities) (map[string]string, error) {
	loaded, err := load(withDependencies(files, directory, map[string]bool{}))
	if err != nil {
		return nil, err
	}
	values, err := merged(root.Values)
	if err != nil {
		return nil, err
	}
	known, err := cluster.forHelm()
	if err != nil {
		return nil, err
	}
	if err := installable(loaded, known); err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(loaded, values); err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: root.Release, Namespace: root.Namespace, Revision: 1, IsInstall: true}
	scope, err := chartutil.ToRenderValues(loaded, values, release, known)
	if err != nil {
		return nil, err
	}
	var offline engine.Engine // finds nothing where a template looks objects or host names up
	return offline.Render(loaded, scope)
}

// withDependencies is the files of a chart, and of the charts of the tree that it names as dependencies and does not
// hold itself: those at a file:// address, and those beside it. Whether their versions are right has been decided.
func withDependencies(files *tree, directory string, seen map[string]bool) map[string][]byte {
	found := files.below(directory)
	seen[directory] = true
	var metadata struct {
		Dependencies []chart.Dependency `json:"dependencies"`
	}
	for _, name := range []string{chartutil.ChartfileName, "requirements.yaml"} {
		if yaml.Unmarshal(found[name], &metadata) != nil {
			continue
		}
		for _, dependency := range metadata.Dependencies {
			own := path.Join("charts", dependency.Name)
			if _, held := found[path.Join(own, chartutil.ChartfileName)]; held {
				continue
			}
			place := path.Join(path.Dir(directory), dependency.Name)
			if local, ok := strings.CutPrefix(dependency.Repository, "file://"); ok {
				place = path.Join(directory, local)
			}
			if seen[place] || !strings.HasPrefix(place, top+"/") {
				continue
			}
			for file, content := range withDependencies(files, place, maps.Clone(seen)) {
				found[path.Join(own, file)] = content
			}
		}
	}
	return found
}

// postRendered is what a kustomization makes of rendered objects.
func postRendered(text, kustomization string) (string, error) {
	var content map[string]any
	if err := yaml.Unmarshal([]byte(kustomization), &content); err != nil {
		return "", err
	}
	content["resources"] = []string{"objects.yaml"}
	settings, err := yaml.Marshal(content)
	if err != nil {
		return "", err
	}
	files := newTree()
	files.add("objects.yaml", []byte(text))
	files.add("kustomization.yaml", settings)
	return kustomize(files, root{}, capabilities{})
}

func (c capabilities) forHelm() (*chartutil.Capabilities, error) {
	version, err := chartutil.ParseKubeVersion(c.KubernetesVersion)
	if err != nil {
		return nil, err
	}
	known := chartutil.DefaultCapabilities.Copy()
	known.KubeVersion = *version
	known.APIVersions = c.APIVersions
	return known, nil
}

func load(files map[string][]byte) (*chart.Chart, error) {
	rules := ignore.Empty()
	if text, found := files[ignore.HelmIgnore]; found {
		var err error
		if rules, err = ignore.Parse(bytes.NewReader(text)); err != nil {
			return nil, err
		}
	}
	rules.AddDefaults()
	var kept []*loader.BufferedFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !ignored(rules, name) {
			kept = append(kept, &loader.BufferedFile{Name: name, Data: bytes.TrimPrefix(files[name], []byte("\ufeff"))})
		}
	}
	return loader.LoadFiles(kept)
}

// ignored tells whether .helmignore names the file or a directory that it is in.
func ignored(rules *ignore.Rules, name string) bool {
	for directory := path.Dir(name); directory != "."; directory = path.Dir(directory) {
		if rules.Ignore(directory, entry{path.Base(directory), fs.ModeDir}) {
			return true
		}
	}
	return rules.Ignore(name, entry{path.Base(name), 0})
}

// entry is a file or a directory to Helm's rules of what to ignore.
type entry struct {
	name string
	mode fs.FileMode
}

func (e entry) Name() string      { return e.name }
func (entry) Size() int64         { return 0 }
func (e entry) Mode() fs.FileMode { return e.mode }
func (entry) ModTime() time.Time  { return time.Time{} }
func (e entry) IsDir() bool       { return e.mode.IsDir() }
func (entry) Sys() any            { return nil }

func merged(texts []string) (map[string]any, error) {
	values := map[string]any{}
	for _, text := range texts {
		above, err := chartutil.ReadValues([]byte(text))
		if err != nil {
			return nil, err
		}
		values = chartutil.MergeTables(above, values)
	}
	return values, nil
}

// installable refuses what the commands of Helm refuse, in their words.
func installable(loaded *chart.Chart, known *chartutil.Capabilities) error {
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return fmt.Errorf("%s charts are not installable", kind)
	}
	if wanted := loaded.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, known.KubeVersion.Version) {
		return fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", wanted, known.KubeVersion.Version)
	}
	var missing []string
	for _, dependency := range loaded.Metadata.Dependencies {
		isThere := func(there *chart.Chart) bool { return there.Name() == dependency.Name }
		if !slices.ContainsFunc(loaded.Dependencies(), isThere) {
			missing = append(missing, dependency.Name)
		}
	}
	if missing != nil {
		return errors.New("found in Chart.yaml, but missing in charts/ directory: " + strings.Join(missing, ", "))
	}
	return nil
}

// joined is the templates in the order of their names.
func joined(rendered map[string]string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		content := withoutHooks(rendered[name])
		if isOfObjects(name) && !strings.Contains(name, "/templates/tests/") && strings.TrimSpace(content) != "" {
			fmt.Fprintf(&text, "---\n# Source: %s\n%s\n", name, strings.TrimRight(content, "\n"))
		}
	}
	return text.String()
}

// installed is the objects in the order in which Helm installs them, as `helm template` prints them.
func installed(rendered map[string]string, withHooks bool) (string, error) {
	maps.DeleteFunc(rendered, func(name, _ string) bool { return !isOfObjects(name) })
	hooks, manifests, err := releaseutil.SortManifests(rendered, nil, releaseutil.InstallOrder)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, manifest := range manifests {
		fmt.Fprintf(&text, "---\n%s\n", manifest.Content)
	}
	for _, hook := range hooks {
		if withHooks {
			fmt.Fprintf(&text, "---\n%s\n", hook.Manifest)
		}
	}
	return text.String(), nil
}

func isOfObjects(name string) bool { return path.Base(name) != "NOTES.txt" }

// separator begins a document. Marks in templates, of characters for private use, may stand before it or in a line.
var (
	separator = regexp.MustCompile("(?m)^(?:\ue000[^\ue001\n]*\ue001)?---(?:[ \\t].*)?$")
	mark      = regexp.MustCompile("\ue000[^\ue001\n]*\ue001")
)

// withoutHooks is the text of a template without the objects that run once, before or after an update.
func withoutHooks(text string) string {
	if !strings.Contains(text, release.HookAnnotation) {
		return text
	}
	var kept strings.Builder
	start := 0
	for _, next := range append(separator.FindAllStringIndex(text, -1), []int{len(text), len(text)}) {
		if document := text[start:next[0]]; !isHook(document) {
			kept.WriteString(document)
		}
		start = next[0]
	}
	return kept.String()
}

func isHook(document string) bool {
	var object struct {
		Metadata struct {
			Annotations map[string]any `json:"annotations"`
		} `json:"metadata"`
	}
	err := yaml.Unmarshal([]byte(mark.ReplaceAllString(document, "")), &object)
	return err == nil && object.Metadata.Annotations[release.HookAnnotation] != nil
}
