package main

import (
	"fmt"
	"os"

	"github.com/loongclaw/loongclaw/deploy/standin"
)

func main() {
	s, err := standin.Listen(":8080")
	if err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1)
	}
	<-s.Done()
}
