// Holds Kubernetes files to the schemas that their owners publish: `make kube-check`.
//
//	kubernetes -crds FOLDER_OR_FILE … -- FILE …      - reads standard input
//
// A kind that a definition of a custom resource names is held to that definition: unknown keys, types, and its rules
// in CEL, after its defaults. A kind of Kubernetes itself, and a ServiceMonitor, is decoded strictly into its Go type. A
// document with nothing but `meshConfig` is Istio's, and decoded strictly as one. Any other kind is an error.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"google.golang.org/protobuf/encoding/protojson"
	mesh "istio.io/api/mesh/v1alpha1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kubeyaml "k8s.io/apimachinery/pkg/util/yaml"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// definition is one version of a custom resource, ready to judge.
type definition struct {
	structural *schema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	definitions := map[string]definition{}
	files := arguments
	if len(arguments) > 0 && arguments[0] == "-crds" {
		files = nil
		for i, argument := range arguments[1:] {
			if argument == "--" {
				files = arguments[i+2:]
				break
			}
			if err := learn(argument, definitions); err != nil {
				return err
			}
		}
	}
	if err := monitoring.AddToScheme(scheme.Scheme); err != nil {
		return err
	}
	passed, failed := 0, 0
	for _, file := range files {
		documents, err := read(file)
		if err != nil {
			return err
		}
		for _, document := range documents {
			name, err := judge(document, definitions)
			if err != nil {
				failed++
				fmt.Printf("not ok %s: %s\n  %s\n", file, name, strings.ReplaceAll(err.Error(), "\n", "\n  "))
			} else {
				passed++
				fmt.Printf("ok %s: %s\n", file, name)
			}
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		return errors.New("not every document meets its schema")
	}
	return nil
}

// learn reads every definition in a file, or in the YAML files of a folder.
func learn(path string, definitions map[string]definition) error {
	return filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(file) != ".yaml" {
			return err
		}
		documents, err := read(file)
		if err != nil {
			return err
		}
		for _, document := range documents {
			if document["kind"] == "CustomResourceDefinition" {
				if err := define(document, definitions); err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
			}
		}
		return nil
	})
}

func define(document map[string]any, definitions map[string]definition) error {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(document, crd); err != nil {
		return err
	}
	for _, version := range crd.Spec.Versions {
		internal := &apiextensions.JSONSchemaProps{}
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, internal, nil); err != nil {
			return err
		}
		structural, err := schema.NewStructural(internal)
		if err != nil {
			return err
		}
		validator, _, err := validation.NewSchemaValidator(internal)
		if err != nil {
			return err
		}
		key := crd.Spec.Group + "/" + version.Name + " " + crd.Spec.Names.Kind
		definitions[key] = definition{structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}
	}
	return nil
}

func read(file string) ([]map[string]any, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, err
	}
	var documents []map[string]any
	reader := kubeyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		part, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		var document map[string]any
		// Duplicate keys are errors here.
		if err := yaml.UnmarshalStrict(part, &document); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if len(document) > 0 {
			documents = append(documents, document)
		}
	}
}

func judge(document map[string]any, definitions map[string]definition) (string, error) {
	text, err := yaml.Marshal(document)
	if err != nil {
		return "", err
	}
	if config, ok := document["meshConfig"]; ok && len(document) == 1 {
		return "meshConfig", meshConfig(config)
	}
	kind := fmt.Sprintf("%v %v", document["apiVersion"], document["kind"])
	metadata, _ := document["metadata"].(map[string]any)
	name := fmt.Sprintf("%v %v", kind, metadata["name"])
	if definition, ok := definitions[kind]; ok {
		return name, definition.judge(document)
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{Yaml: true, Strict: true})
	_, _, err = strict.Decode(text, nil, nil)
	return name, err
}

func meshConfig(config any) error {
	text, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	text, err = yaml.YAMLToJSON(text)
	if err != nil {
		return err
	}
	return protojson.Unmarshal(text, &mesh.MeshConfig{})
}

func (d definition) judge(document map[string]any) error {
	object := runtime.DeepCopyJSON(normal(document))
	pruned := pruning.PruneWithOptions(object, d.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	var wrong []string
	for _, unknown := range pruned {
		wrong = append(wrong, "unknown key "+unknown)
	}
	defaulting.Default(object, d.structural)
	for _, fault := range validation.ValidateCustomResource(nil, object, d.schema) {
		wrong = append(wrong, fault.Error())
	}
	faults, _ := d.rules.Validate(context.Background(), field.NewPath(""), d.structural, object, nil, celconfig.RuntimeCELCostBudget)
	for _, fault := range faults {
		wrong = append(wrong, fault.Error())
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}

// normal has numbers as Kubernetes has them: whole ones as integers.
func normal(document map[string]any) map[string]any {
	for key, value := range document {
		document[key] = number(value)
	}
	return document
}

func number(value any) any {
	switch value := value.(type) {
	case map[string]any:
		return normal(value)
	case []any:
		for i, item := range value {
			value[i] = number(item)
		}
		return value
	case float64:
		if whole := int64(value); float64(whole) == value {
			return whole
		}
		return value
	default:
		return value
	}
}
