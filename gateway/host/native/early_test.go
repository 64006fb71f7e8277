package native

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// broken is a connection that takes nothing any more.
type broken struct{ net.Conn }

func (broken) Write([]byte) (int, error) { return 0, errors.New("reset") }
func (broken) Close() error              { return nil }

// A failed write is told when the reader has closed the connection, and soon where
// nobody reads.
func TestAFailedWriteWaitsForItsReader(t *testing.T) {
	for name, c := range map[string]struct{ closes, want time.Duration }{
		"the reader has heard the answer": {50 * time.Millisecond, 50 * time.Millisecond},
		"nobody reads":                    {time.Hour, earlyWait},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := &heardConn{Conn: broken{}, closed: make(chan struct{})}
				closing := time.AfterFunc(c.closes, func() { _ = conn.Close() })
				defer closing.Stop()
				began := time.Now()
				if _, err := conn.Write([]byte("x")); err == nil || time.Since(began) != c.want {
					t.Errorf("error %v after %v, want one after %v", err, time.Since(began), c.want)
				}
				for range 2 { // http.Transport may close it more than once
					if err := conn.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}
