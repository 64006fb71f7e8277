package tasks_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loongclaw/loongclaw/agent/tasks"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// A panic ends the task that it comes from, is counted, and leaves its stack in the log.
func TestAPanicEndsOneTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		panics := 0
		g := tasks.New(slog.New(slog.NewTextHandler(&log, nil)), func() { panics++ })
		g.Go(func() { panic("one") })
		synctest.Wait()
		g.After(time.Second, func() { panic("two") })
		time.Sleep(2 * time.Second)
		synctest.Wait() // orders what the task has written before what is read here
		if err := <-g.Ask(func() error { panic("three") }); err == nil {
			t.Error("a panic is no error for who asked")
		}
		if panics != 3 || strings.Count(log.String(), "group_test.go") < 3 {
			t.Errorf("%d panics counted, in the log stands\n%s", panics, log.String())
		}
		if err := <-g.Ask(func() error { return errors.New("mine") }); err == nil || err.Error() != "mine" {
			t.Errorf("who asked is told %v", err)
		}
	})
}

func TestADrainWaitsForWhatWasBegunAndThenEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := tasks.New(slog.New(slog.DiscardHandler), func() {})
		done, ok := g.Begin()
		if !ok || g.IsDraining() {
			t.Fatal("nothing may begin")
		}
		began := time.Now()
		go func() { // ends when it is told to
			<-g.Root().Done()
			time.Sleep(time.Second)
			done()
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if !g.Drain(ctx) || time.Since(began) != 4*time.Second {
			t.Errorf("the drain took %s, want 3 s of patience and 1 s until all has stopped", time.Since(began))
		}
		if _, ok := g.Begin(); ok || !g.IsDraining() {
			t.Error("something may begin after a drain")
		}
		if err := context.Cause(g.Root()); !errors.Is(err, tasks.ErrDraining) {
			t.Errorf("the root ended with %v", err)
		}
		if err := g.Pause(time.Hour); !errors.Is(err, tasks.ErrDraining) {
			t.Errorf("a pause ended with %v", err)
		}
		if err := tasks.Draining(); fault.CodeOf(err) != fault.CodeDraining || fault.From(err).RetrySeconds() == 0 {
			t.Errorf("a request is told %v", err)
		}
	})
}

// What does not stop is left as it is.
func TestADrainDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := tasks.New(slog.New(slog.DiscardHandler), func() {})
		done, _ := g.Begin()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if began := time.Now(); g.Drain(ctx) || time.Since(began) > time.Minute {
			t.Errorf("after %s it says that all has stopped", time.Since(began))
		}
		done()
	})
}
