package runs

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

func TestTextIsGivenAtMostEveryTenMilliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		began := time.Now()
		for _, step := range []struct {
			what  string
			after time.Duration // how long the model took
			kind  string
			at    time.Duration // when the reader may have it
		}{
			{"the beginning", 0, chat.TypeRunStarted, 0},
			{"the first piece", time.Millisecond, chat.TypeMessageChunk, time.Millisecond},
			{"a piece at once", 0, chat.TypeMessageChunk, 11 * time.Millisecond},
			{"a thought soon after", 4 * time.Millisecond, chat.TypeReasoningChunk, 21 * time.Millisecond},
			{"a piece after a pause", time.Second, chat.TypeMessageChunk, 1021 * time.Millisecond},
			{"the end", 0, chat.TypeRunFinished, 1031 * time.Millisecond},
			{"the next beginning", 0, chat.TypeRunStarted, 1031 * time.Millisecond},
		} {
			time.Sleep(step.after)
			if err := p.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if at := time.Since(began); at != step.at {
				t.Errorf("%s came after %s, want %s", step.what, at, step.at)
			}
			p.gave([]chat.Event{{Type: step.kind}})
		}
		p.gave([]chat.Event{{Type: chat.TypeMessageChunk}})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if p.wait(ctx) == nil {
			t.Error("it waits for a reader that has left")
		}
	})
}
