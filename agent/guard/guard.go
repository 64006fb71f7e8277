package guard

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Panic is the error of a task that panicked.
type Panic struct {
	Value any
	Stack []byte
}

// Error says what the panic said, without the stack.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Run runs do and returns its error, or a *Panic.
func Run(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{Value: v, Stack: debug.Stack()}
		}
	}()
	return do()
}

// Find returns the panic in an error's chain, or nil.
func Find(err error) *Panic {
	var p *Panic
	if errors.As(err, &p) {
		return p
	}
	return nil
}
