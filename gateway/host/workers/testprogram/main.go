//go:build js && wasm

// Command testprogram is a core that misbehaves on demand, for the tests of the
// WASM host. It is never deployed.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/gateway/host/workers"
)

func main() {
	workers.Serve(func(vars map[string]string) (workers.Core, error) {
		if vars["REFUSE"] != "" {
			return nil, errors.New("REFUSE is set; remove it")
		}
		return core{}, nil
	})
}

// later counts what ran after the request that wanted it.
var later int

// core answers requests only; nobody asks it about frames.
type core struct{ workers.Core }

// Decide does what the path says.
func (core) Decide(h edge.Head, _ edge.Facts) edge.Decision {
	switch h.Target {
	case "/panic":
		panic("on demand")
	case "/exit":
		os.Exit(3)
	case "/fatal":
		new(sync.Mutex).Unlock() // recover cannot stop this one
	case "/wait":
		time.Sleep(time.Minute)
	case "/later": // as Go's own housekeeping does after a collection
		time.AfterFunc(time.Millisecond, func() { later++ })
	case "/ran":
		return answer(strconv.Itoa(later))
	case "/deadlock":
		<-make(chan int)
	case "/random":
		var b [16]byte
		_, _ = rand.Read(b[:])
		return answer(hex.EncodeToString(b[:]))
	}
	return answer("ok")
}

func answer(text string) edge.Decision {
	return edge.Decision{Respond: &edge.Respond{Status: 200, Body: []byte(text)}}
}

var _ workers.Core = core{}
