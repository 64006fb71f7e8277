//go:build unix

package h1

import (
	"errors"
	"syscall"
)

// canLook says that nothingToRead works here.
const canLook = true

// nothingToRead reports whether a read would wait. What it may take away is of a
// connection that is then closed.
func nothingToRead(fd uintptr) bool {
	var b [1]byte
	n, err := syscall.Read(int(fd), b[:]) //nolint:gosec // a descriptor is an int
	return n < 0 && (errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EWOULDBLOCK))
}
