//go:build js && wasm

package workers

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"runtime"
	"syscall/js"
	"time"
	"unsafe"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

// served answers the calls; there is one in an instance.
var served *bridge

// crossing is where a call's text lies while it crosses: JavaScript writes its message
// into in, and reads the answer out of out. A function of syscall/js would cost six times
// as much, most of it for objects that stand for strings.
var crossing struct {
	in, out []byte
	// answer is what JavaScript reads after a call (edge/instance.mjs): where the answer
	// lies, how long it is, and how many calls have come to their end. A call that
	// waits returns to JavaScript before its end.
	answer [3]uint32
}

// minBuffer holds a usual request.
const minBuffer = 16 << 10

// Serve answers the function that JavaScript calls for each request, and keeps the
// instance alive. It does not return.
func Serve(configure Configure) {
	served = &bridge{
		log:       slog.New(slog.NewJSONHandler(console{}, nil)),
		configure: configure,
		requestID: newRequestID,
		lease:     leased,
	}
	select {} // parked for ever: JavaScript calls in
}

// buffer gives JavaScript room for a message of n bytes.
//
//go:wasmexport loongclawBuffer
func buffer(n uint32) unsafe.Pointer {
	if uint32(len(crossing.in)) < n || len(crossing.in) == 0 { //nolint:gosec // it has 32 bits in all
		crossing.in = make([]byte, max(n, minBuffer))
	}
	return unsafe.Pointer(&crossing.in[0]) //nolint:gosec // JavaScript writes there before it calls
}

// call answers the message of n bytes in the buffer.
//
//go:wasmexport loongclawCall
func call(n uint32) unsafe.Pointer {
	runtime.Gosched() // what Go's own housekeeping has to do, such as a collection under way
	crossing.out = append(crossing.out[:0], served.call(string(crossing.in[:n]))...)
	a := &crossing.answer
	a[0] = uint32(uintptr(unsafe.Pointer(unsafe.SliceData(crossing.out)))) //nolint:gosec // an address in the instance's memory
	a[1] = uint32(len(crossing.out))                                       //nolint:gosec // it has 32 bits in all
	a[2]++
	if cap(crossing.in) > maxKept {
		crossing.in = nil
	}
	return unsafe.Pointer(a) //nolint:gosec // JavaScript reads it after the call
}

// maxKept is the largest buffer that is kept from one call to the next.
const maxKept = 1 << 20

// lend is JavaScript's: it takes one out of a share of a limit (limits/lease.mjs) and
// reports whether there was one. left is what remains of the share, and when all are free
// again, in milliseconds.
//
//go:wasmimport loongclaw lend
func lend(key string, left *[2]int32) bool

func leased(key string) (edge.LimitAnswer, bool) {
	var left [2]int32
	if !lend(key, &left) {
		return edge.LimitAnswer{}, false
	}
	return edge.LimitAnswer{Allowed: true, Remaining: int(left[0]), Reset: time.Duration(left[1]) * time.Millisecond}, true
}

// Signer signs with a key of Ed25519 by JavaScript's means, which are native code: in
// WebAssembly the same signature takes ten times as long. Where those are missing, as while
// Go boots, Go signs.
func Signer(key ed25519.PrivateKey) crypto.Signer { return signer{key} }

type signer struct{ ed25519.PrivateKey }

// sign is JavaScript's (edge/signer.mjs): it signs the message with the seed of a key, and
// reports whether it could.
//
//go:wasmimport loongclaw sign
func sign(seed unsafe.Pointer, message string, signature *[ed25519.SignatureSize]byte) bool

// Sign signs a message that is not hashed before.
func (s signer) Sign(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	var signature [ed25519.SignatureSize]byte
	if opts.HashFunc() == 0 && sign(unsafe.Pointer(unsafe.SliceData(s.PrivateKey)), string(message), &signature) { //nolint:gosec // JavaScript reads the seed, which it has already
		return signature[:], nil
	}
	return s.PrivateKey.Sign(random, message, opts)
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
