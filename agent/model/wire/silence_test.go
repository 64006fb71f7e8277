package wire

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSilence(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(s *Silence)
		ends time.Duration // 0: never
	}{
		"a wait that is too long": {func(s *Silence) { s.Wait(time.Second) }, time.Second},
		"heard in time":           {func(s *Silence) { s.Wait(time.Second); time.Sleep(time.Second - 1); s.Heard() }, 0},
		"many waits, the last one too long": {func(s *Silence) {
			for range 10 {
				s.Wait(time.Second)
				time.Sleep(900 * time.Millisecond)
				s.Heard()
			}
			s.Wait(time.Second)
		}, 10 * time.Second},
		"a shorter one after a longer one": {func(s *Silence) { s.Wait(time.Minute); s.Heard(); s.Wait(time.Second) }, time.Second},
		"a longer one after a shorter one": {func(s *Silence) { s.Wait(time.Second); s.Heard(); s.Wait(time.Minute) }, time.Minute},
		"one after a long rest": {func(s *Silence) {
			s.Wait(time.Second)
			s.Heard()
			time.Sleep(time.Hour)
			s.Wait(time.Second)
		}, time.Hour + time.Second},
		"stopped":                    {func(s *Silence) { s.Wait(time.Second); s.Stop() }, 0},
		"stopped, and waited":        {func(s *Silence) { s.Wait(time.Second); s.Stop(); s.Wait(2 * time.Second) }, 2 * time.Second},
		"no time at all":             {func(s *Silence) { s.Wait(0) }, 1},
		"no time, and heard at once": {func(s *Silence) { s.Wait(0); s.Heard() }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var ended time.Duration
				s := NewSilence(func() { ended = max(time.Since(began), 1) })
				c.run(s)
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				if ended != c.ends {
					t.Errorf("it ended after %v, want %v", ended, c.ends)
				}
			})
		})
	}
}
