//go:build js && wasm

package workers

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"syscall/js"
)

// entry is the name under which JavaScript finds the function to call; it takes
// it and removes the name (edge/instance.mjs).
const entry = "loongclawCall"

// Serve hands JavaScript the function that it calls for each request, and keeps
// the instance alive. It does not return.
func Serve(configure Configure) {
	b := &bridge{
		log:       slog.New(slog.NewJSONHandler(console{}, nil)),
		configure: configure,
		requestID: newRequestID,
	}
	js.Global().Set(entry, js.FuncOf(func(_ js.Value, args []js.Value) any {
		return b.call(args[0].String())
	}))
	select {} // parked for ever: JavaScript calls in
}

// newRequestID names a request that the core did not get to name.
func newRequestID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}

// console writes log lines to the Worker's log.
type console struct{}

func (console) Write(line []byte) (int, error) {
	js.Global().Get("console").Call("error", string(line))
	return len(line), nil
}

var _ io.Writer = console{}
