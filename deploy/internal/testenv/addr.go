package testenv

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are drawn from below the range that the kernel gives to outgoing
// connections (Linux: 32768 to 60999). A port from that range may be some
// connection's own by the time a killed program wants it back.
const (
	firstPort = 12000
	lastPort  = 32000
)

var given sync.Map // ports that this process has handed out

// FreeAddr finds an address on loopback that nobody listens on and that it has
// not given before.
func FreeAddr() (string, error) {
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort) // #nosec G404 -- no secret
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		_ = l.Close()
		if _, taken := given.LoadOrStore(port, true); !taken {
			return addr, nil
		}
	}
	return "", errors.New("no free port found on loopback")
}
