package main

import (
	"fmt"
	"path"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// inflate renders the charts of the tree that kustomizations name in helmCharts, for which kustomize would start helm:
// what they render to becomes one more resource. The files are as before once restore is called.
//
// A chart that is not in the tree stays as it is named, and kustomize says that it cannot have it.
func inflate(files *tree, directory string, cluster capabilities) (restore func(), err error) {
	inflater := inflater{files: files, cluster: cluster, seen: map[string]bool{}}
	if !files.hasCharts {
		return inflater.restore, nil
	}
	err = inflater.inflateBelow(absolute(directory))
	return inflater.restore, err
}

type inflater struct {
	files   *tree
	cluster capabilities
	seen    map[string]bool
	undo    []func()
}

func (i *inflater) restore() {
	for _, undo := range slices.Backward(i.undo) {
		undo()
	}
}

// inflateBelow does it for the kustomization of a directory and for those that it reads.
func (i *inflater) inflateBelow(directory string) error {
	if i.seen[directory] {
		return nil
	}
	i.seen[directory] = true
	names := konfig.RecognizedKustomizationFileNames()
	found := slices.IndexFunc(names, func(name string) bool { return i.files.files[path.Join(directory, name)] != nil })
	if found < 0 {
		return nil
	}
	file := path.Join(directory, names[found])
	var content map[string]any
	var charts struct {
		HelmGlobals types.HelmGlobals `json:"helmGlobals"`
		HelmCharts  []types.HelmChart `json:"helmCharts"`
	}
	// What cannot be read kustomize refuses, in its own words.
	if yaml.Unmarshal(i.files.files[file], &content) != nil || yaml.Unmarshal(i.files.files[file], &charts) != nil {
		return nil
	}
	resources, _ := content["resources"].([]any)
	for _, key := range []string{"resources", "bases", "components"} {
		listed, _ := content[key].([]any)
		for _, item := range listed {
			if name, ok := item.(string); ok {
				if err := i.inflateBelow(path.Join(directory, name)); err != nil {
					return err
				}
			}
		}
	}
	var left []types.HelmChart
	for number, chart := range charts.HelmCharts {
		source := chartDirectory(chart, charts.HelmGlobals)
		if !i.files.IsDir(path.Join(directory, source)) {
			left = append(left, chart)
			continue
		}
		text, err := i.render(directory, source, chart)
		if err != nil {
			return fmt.Errorf("chart %s of %s: %w", chart.Name, file, err)
		}
		name := fmt.Sprintf("helm-chart-%d-%s.yaml", number, chart.Name)
		i.put(path.Join(directory, name), []byte(text))
		resources = append(resources, name)
	}
	if len(left) == len(charts.HelmCharts) {
		return nil
	}
	content["resources"] = resources
	delete(content, "helmCharts")
	if left != nil {
		content["helmCharts"] = left
	}
	text, err := yaml.Marshal(content)
	i.put(file, text)
	return err
}

func (i *inflater) put(file string, content []byte) {
	i.undo = append(i.undo, i.files.replace(file, content))
}

// chartDirectory is where kustomize looks for a chart from the directory of its kustomization.
func chartDirectory(chart types.HelmChart, globals types.HelmGlobals) string {
	home := globals.ChartHome
	if home == "" {
		home = types.HelmDefaultHome
	}
	if chart.Version != "" && chart.Repo != "" {
		home = path.Join(home, chart.Name+"-"+chart.Version)
	}
	return path.Join(home, chart.Name)
}

func (i *inflater) render(directory, source string, chart types.HelmChart) (string, error) {
	values, err := i.values(directory, chart)
	if err != nil {
		return "", err
	}
	release, namespace := chart.ReleaseName, chart.Namespace
	if release == "" {
		release = chart.Name
	}
	if namespace == "" {
		namespace = "default"
	}
	asked := root{Values: values, Release: release, Namespace: namespace}
	rendered, err := renderChart(i.files, path.Join(directory, source), asked, i.cluster)
	if err != nil {
		return "", err
	}
	return installed(rendered, !chart.SkipHooks)
}

// values are the texts of a chart's values, of which later ones win.
func (i *inflater) values(directory string, chart types.HelmChart) ([]string, error) {
	var texts []string
	if chart.ValuesFile != "" {
		text, err := i.files.ReadFile(path.Join(directory, chart.ValuesFile))
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	if len(chart.ValuesInline) > 0 {
		inline, err := yaml.Marshal(chart.ValuesInline)
		if err != nil {
			return nil, err
		}
		switch chart.ValuesMerge {
		case "merge":
			texts = append([]string{string(inline)}, texts...)
		case "replace":
			texts = []string{string(inline)}
		default:
			texts = append(texts, string(inline))
		}
	}
	for _, name := range chart.AdditionalValuesFiles {
		text, err := i.files.ReadFile(path.Join(directory, name))
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}
