// Renders a chart as Helm does: Go's text/template with the functions of sprig, and those that Helm adds (pkg/engine/engine.go and
// funcs.go of helm.sh/helm/v3). Reads a list of requests in JSON on stdin, and writes a list of objects, text by file, to stdout.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"gopkg.in/yaml.v3"
)

type request struct {
	Name      string                 `json:"name"`
	Namespace string                 `json:"namespace"`
	Service   string                 `json:"service"`
	Values    map[string]interface{} `json:"values"`
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(chart string) error {
	var requests []request
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		return err
	}
	var all []map[string]string
	for _, each := range requests {
		rendered, err := render(chart, each)
		if err != nil {
			return err
		}
		all = append(all, rendered)
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

func render(chart string, asked request) (map[string]string, error) {
	var about, values map[string]interface{}
	if err := readYaml(filepath.Join(chart, "Chart.yaml"), &about); err != nil {
		return nil, err
	}
	if err := readYaml(filepath.Join(chart, "values.yaml"), &values); err != nil {
		return nil, err
	}
	data := map[string]interface{}{
		"Chart":        capitalized(about),
		"Values":       merged(values, asked.Values),
		"Release":      map[string]interface{}{"Name": asked.Name, "Namespace": asked.Namespace, "Service": asked.Service},
		"Capabilities": map[string]interface{}{"KubeVersion": map[string]interface{}{"Version": "v1.32.0"}},
	}
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(functions(root))
	files, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if _, err := root.New(filepath.Base(file)).Parse(string(text)); err != nil {
			return nil, err
		}
	}
	rendered := map[string]string{}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var out bytes.Buffer
		if err := root.ExecuteTemplate(&out, name, data); err != nil {
			return nil, err
		}
		rendered[name] = strings.ReplaceAll(out.String(), "<no value>", "")
	}
	return rendered, nil
}

func functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	all["include"] = func(name string, data interface{}) (string, error) {
		var out bytes.Buffer
		err := root.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	all["toYaml"] = func(value interface{}) (string, error) {
		var out bytes.Buffer
		encoder := yaml.NewEncoder(&out)
		encoder.SetIndent(2)
		err := encoder.Encode(value)
		return strings.TrimSuffix(out.String(), "\n"), err
	}
	all["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return value, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	return all
}

func readYaml(path string, into interface{}) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return yaml.Unmarshal(text, into)
}

// Helm hands the chart over as a structure, whose fields are capitalized.
func capitalized(fields map[string]interface{}) map[string]interface{} {
	all := map[string]interface{}{}
	for name, value := range fields {
		all[strings.ToUpper(name[:1])+name[1:]] = value
	}
	return all
}

// What is given replaces what values.yaml has; tables are merged, and null removes a key.
func merged(defaults, given map[string]interface{}) map[string]interface{} {
	all := map[string]interface{}{}
	for name, value := range defaults {
		all[name] = value
	}
	for name, value := range given {
		inner, isTable := value.(map[string]interface{})
		before, wasTable := all[name].(map[string]interface{})
		switch {
		case value == nil:
			delete(all, name)
		case isTable && wasTable:
			all[name] = merged(before, inner)
		default:
			all[name] = value
		}
	}
	return all
}
