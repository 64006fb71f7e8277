package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

const (
	agent = ":8788" // where the Worker's object looks for an agent
	suite = ":8789" // where the suite waits for the next connection
)

func main() {
	fmt.Fprintln(os.Stderr, "stub:", run())
	os.Exit(1)
}

// run joins connections until one of its listeners ends, and says why that did.
func run() error {
	front, err := net.Listen("tcp", agent) // #nosec G102 -- in a container of a test
	if err != nil {
		return err
	}
	back, err := net.Listen("tcp", suite) // #nosec G102 -- in a container of a test
	if err != nil {
		return err
	}
	for {
		from, err := front.Accept()
		if err != nil {
			return err
		}
		to, err := back.Accept()
		if err != nil {
			return err
		}
		go join(from, to)
	}
}

// join copies both ways until both ends have ended.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].(*net.TCPConn).CloseWrite()
		})
	}
	both.Wait()
	_ = a.Close()
	_ = b.Close()
}
