//go:build !unix

package h1

// canLook says that nothingToRead works here.
const canLook = false

func nothingToRead(uintptr) bool { return false }
