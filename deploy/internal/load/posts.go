package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// PostsResult is what a crowd of streamed POSTs saw.
type PostsResult struct {
	Streams  int
	Whole    int // streams with every event
	Failures []error
	Elapsed  time.Duration
}

// maxFailures bounds how many failures are kept; all are counted.
const maxFailures = 20

// Posts sends total streamed POSTs, parallel at a time, and counts the events of
// each: a whole one has exactly events of them.
func Posts(ctx context.Context, clients []*client.Client, total, parallel, events int) PostsResult {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		taken atomic.Int64
		res   = PostsResult{Streams: total}
		began = time.Now()
	)
	for i := range parallel {
		c := clients[i%len(clients)]
		wg.Go(func() {
			for taken.Add(1) <= int64(total) {
				err := post(ctx, c, events)
				mu.Lock()
				switch {
				case err == nil:
					res.Whole++
				case len(res.Failures) < maxFailures:
					res.Failures = append(res.Failures, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	res.Elapsed = time.Since(began)
	return res
}

func post(ctx context.Context, c *client.Client, events int) error {
	s, err := c.Chat(ctx, "default", "a question of some length, so that the body is not empty: 你好")
	if err != nil {
		return err
	}
	defer s.Cut()
	for n := 0; ; n++ {
		e, err := s.Next()
		switch {
		case errors.Is(err, io.EOF) && n == events:
			return nil
		case err != nil:
			return fmt.Errorf("cut short after %d of %d events: %w", n, events, err)
		case e.Cursor != fmt.Sprintf("c%d", n):
			return fmt.Errorf("event %d is %s", n, e.Raw)
		}
	}
}
