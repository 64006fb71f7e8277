package redact_test

import (
	"fmt"
	"os"

	"github.com/loongclaw/loongclaw/pkg/redact"
)

// A log that cannot show what it must not.
func ExampleWriter() {
	log := redact.Writer(os.Stdout, "sk-0123456789abcdef")
	fmt.Fprintln(log, "provider refused the key sk-0123456789abcdef")
	// Output:
	// provider refused the key [secret]
}
