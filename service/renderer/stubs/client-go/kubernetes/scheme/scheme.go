// Package scheme knows no kinds: which ones a cluster serves is told to the renderer with each request.
package scheme

import "k8s.io/apimachinery/pkg/runtime"

// Scheme is empty.
var Scheme = runtime.NewScheme()
