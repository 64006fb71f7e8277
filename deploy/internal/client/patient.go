package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Unwanted is an answer whose status is not the expected one.
type Unwanted struct {
	Request string // method and path
	Answer  Answer
	Want    int
}

func (u *Unwanted) Error() string {
	return fmt.Sprintf("%s: %v, want status %d", u.Request, u.Answer, u.Want)
}

// Want sends a request until it is answered with that status, and reads the answer
// into a value, where there is one. An answer that says of itself that it passes is
// waited for, as long as the context lasts.
func (c *Client) Want(ctx context.Context, status int, method, path string, body, into any, headers ...Header) error {
	for last := error(nil); ; {
		a, err := c.Do(ctx, method, path, body, headers...)
		switch {
		case err != nil && ctx.Err() != nil:
			return fmt.Errorf("not in time: %w", errors.Join(last, ctx.Err()))
		case err != nil:
			return err
		case a.Status == status && into != nil:
			return a.JSON(into)
		case a.Status == status:
			return nil
		case !a.MayPass():
			return &Unwanted{method + " " + path, a, status}
		}
		last = &Unwanted{method + " " + path, a, status}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not in time: %w", errors.Join(last, ctx.Err()))
		case <-time.After(a.RetryAfter()):
		}
	}
}

// MayPass reports whether the answer is one that passes by itself: an agent that
// starts says so, and so does a rate limit.
func (a Answer) MayPass() bool {
	return a.Status == http.StatusServiceUnavailable || a.Status == http.StatusBadGateway || a.Status == http.StatusTooManyRequests
}

// RetryAfter returns how long to wait before the request is sent again: what the
// answer says, between one second and ten.
func (a Answer) RetryAfter() time.Duration {
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		return time.Second
	}
	return time.Duration(min(seconds, 10)) * time.Second
}
