// Command strict reads YAML documents on stdin and decodes each as the kubelet and the scheduler of one Kubernetes minor do,
// with that minor's own types, but strictly: it prints a JSON list of everything they would drop or refuse.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	scheduler "k8s.io/kube-scheduler/config/v1"
	kubelet "k8s.io/kubelet/config/v1beta1"
)

func main() {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{kubelet.AddToScheme, scheduler.AddToScheme} {
		if err := add(scheme); err != nil {
			fail(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()

	complaints := []string{}
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fail(err)
		}
		if _, _, err := decoder.Decode(document, nil, nil); err != nil {
			if strict, is := runtime.AsStrictDecodingError(err); is {
				for _, each := range strict.Errors() {
					complaints = append(complaints, each.Error())
				}
			} else {
				complaints = append(complaints, err.Error())
			}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(complaints); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "strict:", err)
	os.Exit(1)
}
