// Renderer renders kustomizations and charts of one tree of files for gracegate: without a disk, a network, or programs
// that it could start, so that it may read the files of strangers.
//
// Standard input is a tar archive. Its first entry is the request as JSON, the others are the files of the tree. Each
// answer is one line of JSON on standard output, written before the next root is begun: where a root ends the process,
// the answers of those before it are there.
//
// Random numbers of templates come from a source that each root starts anew.
//
//go:debug randseednop=0
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
)

// spare makes the collector of garbage wait for twice as much of it: Go collects when the heap has doubled, and the heap
// of a small root doubles all the time. Nothing is ever written there, so it takes no memory of the machine.
var spare = make([]byte, 64<<20)

func main() {
	defer runtime.KeepAlive(spare)
	if err := serve(bufio.NewReaderSize(os.Stdin, 1<<20), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
