package main

import (
	"fmt"
	"os"

	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

func main() {
	s, err := fakeprovider.Listen(":8080")
	if err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1)
	}
	<-s.Done()
}
